import type { StageContext } from '../engine/index.ts';
import type { CommandAnswer, TocsinFrame, TocsinStage } from '../incident/index.ts';

export interface AnswersStage extends TocsinStage {
  /** What the command of that id was answered, if it was applied within the last day. */
  answer(commandId: string): CommandAnswer | undefined;
}

const retentionMs = 24 * 3_600_000;

const notUnderstood: CommandAnswer = {
  status: 'refused',
  code: 'invalid',
  message: 'no stage knows this command',
};

/** The last stage: remembers what commands were answered, so that a command that is sent again acts once. */
export function createAnswersStage(context: StageContext): AnswersStage {
  const answers = context.table<CommandAnswer>('by-command');
  return {
    name: 'answers',
    onFrame({ entry, flow, timeMs }: TocsinFrame) {
      if (entry?.kind !== 'command') return;
      answers.set(entry.payload.id, flow.answer ?? notUnderstood);
      context.timers.set(entry.payload.id, timeMs + retentionMs);
    },
    onTimer(commandId: string) {
      answers.delete(commandId);
    },
    answer: (commandId) => answers.get(commandId),
  };
}
