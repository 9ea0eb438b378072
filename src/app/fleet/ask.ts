import { comeAgain } from '../come-again.ts';
import { TocsinError, decode, encode, errorCodes, type ErrorCode } from '../../engine/index.ts';
import { AnswerError, type Questions } from '../../nats/index.ts';
import type { PartitionVoice } from './voice.ts';

type Name = keyof PartitionVoice;

interface Question {
  readonly name: Name;
  readonly parameters: readonly unknown[];
}

const names = {
  alerts: true,
  groups: true,
  receivers: true,
  silences: true,
  silence: true,
  incidents: true,
  incident: true,
  run: true,
  storms: true,
  explain: true,
  funnel: true,
  models: true,
  integrations: true,
  answerTo: true,
  remembers: true,
} as const satisfies Record<Name, true>;

const subjectOf = (prefix: string, partition: number): string => `${prefix}.ask.${partition}`;

/** Lets the fleet ask what this process knows of a partition, until the function is called that it returns. */
export function answerFor(
  questions: Questions,
  { prefix, partition, voice }: { prefix: string; partition: number; voice: PartitionVoice },
): () => void {
  return questions.answer(
    subjectOf(prefix, partition),
    async (bytes) => {
      const { name, parameters } = decode(bytes) as Question;
      const answer = Object.hasOwn(names, name) ? named(voice)[name] : undefined;
      if (!answer)
        throw new TocsinError('TOC_QUESTION_UNKNOWN', `nothing is known of ${JSON.stringify(name)}`);
      return encode(await answer(...parameters));
    },
    (error) => (error instanceof TocsinError ? error.code : 'TOC_PARTITION_FAILED'),
  );
}

export interface AskingOptions {
  readonly questions: Questions;
  readonly prefix: string;
  /** What this process leads, where it does. */
  readonly led: () => ReadonlyMap<number, PartitionVoice>;
  /** How long it is asked again while nobody leads the partition. */
  readonly patienceMs: number;
}

/** How long one who was asked may keep silent. A process that stands still is not waited for: another takes its place. */
const silenceMs = 3_000;

/**
 * A partition as whichever process leads it knows it. Rejects with TOC_PARTITION_UNOWNED where nobody has answered for `patienceMs`, and with
 * what the other process says.
 */
export function askPartition(
  partition: number,
  { questions, prefix, led, patienceMs }: AskingOptions,
): PartitionVoice {
  const unowned = (): TocsinError =>
    new TocsinError('TOC_PARTITION_UNOWNED', `nobody leads partition ${partition} at the moment`);
  const askOnce = async ({ name, parameters }: Question): Promise<unknown> => {
    const own = led().get(partition);
    if (own) return named(own)[name]!(...parameters);
    try {
      const question = encode({ name, parameters });
      const answer = await questions.ask(subjectOf(prefix, partition), question, silenceMs);
      if (answer) return decode(answer);
    } catch (error) {
      if (error instanceof AnswerError) throw new TocsinError(knownCode(error.code), error.message);
      throw new TocsinError('TOC_PARTITION_UNOWNED', `partition ${partition} cannot be asked`, {
        cause: error,
      });
    }
    throw unowned();
  };
  const ask =
    (name: Name) =>
    (...parameters: readonly unknown[]): Promise<unknown> =>
      comeAgain(() => askOnce({ name, parameters }), {
        patienceMs,
        firstWaitMs: 50,
        longestWaitMs: 500,
        isPassing: ({ code }) => code === 'TOC_PARTITION_UNOWNED',
      });
  return Object.fromEntries(
    (Object.keys(names) as Name[]).map((name) => [name, ask(name)]),
  ) as unknown as PartitionVoice;
}

function named(
  voice: PartitionVoice,
): Readonly<Record<string, (...parameters: readonly unknown[]) => Promise<unknown>>> {
  return voice as never;
}

function knownCode(code: string): ErrorCode {
  return Object.hasOwn(errorCodes, code) ? (code as ErrorCode) : 'TOC_PARTITION_FAILED';
}
