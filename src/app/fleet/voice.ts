import type { ReadModel } from '../../api/index.ts';
import { TocsinError } from '../../engine/index.ts';
import type { Command, CommandAnswer } from '../../incident/index.ts';
import type { Partition } from '../partition.ts';
import { createReadModel } from '../read-model.ts';

/** What the process that leads a partition answers of it. Questions and answers are plain data. */
export interface PartitionVoice extends ReadModel {
  /** What the command at `position` of the log was answered, once everything up to there has been applied. */
  answerTo(command: Command, position: number): Promise<CommandAnswer>;
  /** Whether the command is a merge or split that can be taken back. */
  remembers(commandId: string): Promise<boolean>;
}

export function createVoice({ stages, carriers, owner }: Partition): PartitionVoice {
  return {
    ...createReadModel(stages, carriers),
    async answerTo(command, position) {
      const answer = (await owner.applied(position)) ? stages.answers.answer(command) : undefined;
      if (answer) return answer;
      throw new TocsinError(
        'TOC_PARTITION_UNOWNED',
        'the partition was given up before the command was applied',
      );
    },
    remembers: async (commandId) => stages.correlate.remembers(commandId),
  };
}
