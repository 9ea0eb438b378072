import type { CommandGate } from '../api/index.ts';
import { TocsinError, type PartitionOwner } from '../engine/index.ts';
import type { Command, CommandAnswer, Flow, LogEntry } from '../incident/index.ts';
import type { PartitionLog } from '../log/index.ts';
import { actOf, usedAlready, type AnswersStage } from './answers.ts';
import type { SteadyClock } from './steady-clock.ts';

export interface GateOptions {
  readonly log: PartitionLog<LogEntry>;
  readonly owner: PartitionOwner<LogEntry, Flow>;
  readonly answers: AnswersStage;
  readonly clock: Pick<SteadyClock, 'nowMs' | 'aheadMs'>;
}

/** Puts commands into the log and waits until they have been applied. The same command id acts once. */
export function createCommandGate({ log, owner, answers, clock }: GateOptions): CommandGate {
  const underWay = new Map<string, { readonly act: string; readonly answer: Promise<CommandAnswer> }>();

  const apply = async (command: Command): Promise<CommandAnswer> => {
    const timeMs = clock.nowMs();
    const payload = inLogTime(command, clock.aheadMs);
    const { position } = await log.append({ kind: 'command', timeMs, payload });
    await owner.applied(position);
    const answer = answers.answer(command);
    if (!answer)
      throw new TocsinError('TOC_PARTITION_FAILED', 'the command is in the log but was not applied');
    return answer;
  };

  return {
    async submit(command) {
      const before = answers.answer(command);
      if (before) return before;
      const act = actOf(command);
      const same = underWay.get(command.id);
      if (same) return same.act === act ? same.answer : usedAlready;
      const answer = apply(command);
      underWay.set(command.id, { act, answer });
      try {
        return await answer;
      } finally {
        underWay.delete(command.id);
      }
    },
  };
}

/** What people say of time is of the machine's clock. */
export function inLogTime(command: Command, aheadMs: number): Command {
  if (aheadMs === 0 || command.kind !== 'silence.set') return command;
  const { body } = command;
  return {
    ...command,
    body: { ...body, startsAtMs: body.startsAtMs + aheadMs, endsAtMs: body.endsAtMs + aheadMs },
  };
}
