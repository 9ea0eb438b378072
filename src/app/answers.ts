import type { StageContext } from '../engine/index.ts';
import {
  commandOf,
  type Command,
  type CommandAnswer,
  type TocsinFrame,
  type TocsinStage,
} from '../incident/index.ts';

export interface AnswersStage extends TocsinStage {
  /** What the command was answered, if one of its id was applied within the last day. Refuses an id that another command had. */
  answer(command: Command): CommandAnswer | undefined;
}

interface Answered {
  readonly act: string;
  readonly answer: CommandAnswer;
}

/** Tells commands apart that came under one id. */
export function actOf(command: Command): string {
  // A silence gets its own id and its times on its way into the log.
  return command.kind === 'silence.set'
    ? command.kind
    : JSON.stringify([command.kind, command.by, command.body]);
}

export const usedAlready: CommandAnswer = {
  status: 'refused',
  code: 'conflict',
  message: 'this Idempotency-Key was used for another command',
};

const retentionMs = 24 * 3_600_000;

const notUnderstood: CommandAnswer = {
  status: 'refused',
  code: 'invalid',
  message: 'no stage knows this command',
};

/** The first stage: a command that comes a second time, from whichever door, does nothing. */
export function createAdmissionStage(answers: () => AnswersStage): TocsinStage {
  return {
    name: 'admission',
    onFrame({ entry, flow }: TocsinFrame) {
      if (entry?.kind !== 'command') return;
      const before = answers().answer(entry.payload);
      if (!before) return;
      flow.isRepeated = true;
      flow.answer = before;
    },
  };
}

/** The last stage: remembers what commands were answered, so that a command that is sent again acts once. */
export function createAnswersStage(context: StageContext): AnswersStage {
  const answers = context.table<Answered>('by-command');
  return {
    name: 'answers',
    onFrame(frame: TocsinFrame) {
      const command = commandOf(frame);
      if (!command) return;
      answers.set(command.id, { act: actOf(command), answer: frame.flow.answer ?? notUnderstood });
      context.timers.set(command.id, frame.timeMs + retentionMs);
    },
    onTimer(commandId: string) {
      answers.delete(commandId);
    },
    answer(command) {
      const answered = answers.get(command.id);
      return answered && (answered.act === actOf(command) ? answered.answer : usedAlready);
    },
  };
}
