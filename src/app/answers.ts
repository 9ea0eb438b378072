import type { StageContext } from '../engine/index.ts';
import type { Command, CommandAnswer, TocsinFrame, TocsinStage } from '../incident/index.ts';

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

/** The first stage: a command that is in the log a second time, from whichever door, does nothing. */
export function createAdmissionStage(context: StageContext): TocsinStage {
  const admitted = context.table<true>('commands');
  return {
    name: 'admission',
    onFrame({ entry, flow, timeMs }: TocsinFrame) {
      if (entry?.kind !== 'command') return;
      const { id } = entry.payload;
      flow.isRepeated = admitted.has(id);
      if (flow.isRepeated) return;
      admitted.set(id, true);
      context.timers.set(id, timeMs + retentionMs);
    },
    onTimer(commandId: string) {
      admitted.delete(commandId);
    },
  };
}

/** The last stage: remembers what commands were answered, so that a command that is sent again acts once. */
export function createAnswersStage(context: StageContext): AnswersStage {
  const answers = context.table<Answered>('by-command');
  const answerTo = (command: Command): CommandAnswer | undefined => {
    const answered = answers.get(command.id);
    return answered && (answered.act === actOf(command) ? answered.answer : usedAlready);
  };
  return {
    name: 'answers',
    onFrame({ entry, flow, timeMs }: TocsinFrame) {
      if (entry?.kind !== 'command') return;
      const command = entry.payload;
      if (flow.isRepeated) {
        flow.answer = answerTo(command) ?? null;
        return;
      }
      answers.set(command.id, { act: actOf(command), answer: flow.answer ?? notUnderstood });
      context.timers.set(command.id, timeMs + retentionMs);
    },
    onTimer(commandId: string) {
      answers.delete(commandId);
    },
    answer: answerTo,
  };
}
