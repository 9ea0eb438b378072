import type { CommandGate } from '../api/index.ts';
import { TocsinError, type PartitionOwner } from '../engine/index.ts';
import type { Command, CommandAnswer, Flow, LogEntry } from '../incident/index.ts';
import type { PartitionLog } from '../log/index.ts';
import type { AnswersStage } from './answers.ts';

export interface GateOptions {
  readonly log: PartitionLog<LogEntry>;
  readonly owner: PartitionOwner<LogEntry, Flow>;
  readonly answers: AnswersStage;
  readonly nowMs: () => number;
}

/** Puts commands into the log and waits until they have been applied. The same command id acts once. */
export function createCommandGate({ log, owner, answers, nowMs }: GateOptions): CommandGate {
  const underWay = new Map<string, Promise<CommandAnswer>>();

  const apply = async (command: Command): Promise<CommandAnswer> => {
    const { firstPosition } = await log.append([{ kind: 'command', timeMs: nowMs(), payload: command }]);
    await owner.applied(firstPosition);
    const answer = answers.answer(command.id);
    if (!answer)
      throw new TocsinError('TOC_PARTITION_FAILED', 'the command is in the log but was not applied');
    return answer;
  };

  return {
    async submit(command) {
      const before = answers.answer(command.id) ?? underWay.get(command.id);
      if (before) return before;
      const answer = apply(command);
      underWay.set(command.id, answer);
      try {
        return await answer;
      } finally {
        underWay.delete(command.id);
      }
    },
  };
}
