import type { CommandGate } from '../../api/index.ts';
import type { Command, CommandAnswer, LogEntry } from '../../incident/index.ts';
import type { LogWriter } from '../../log/index.ts';
import { inLogTime } from '../gate.ts';
import type { SteadyClock } from '../steady-clock.ts';
import { partitionOfId } from './scope.ts';
import type { PartitionVoice } from './voice.ts';

export interface FleetCommandOptions {
  readonly writers: readonly Pick<LogWriter<LogEntry>, 'append'>[];
  readonly voices: readonly PartitionVoice[];
  readonly clock: Pick<SteadyClock, 'nowMs' | 'aheadMs'>;
}

/**
 * Puts commands into the logs of the partitions that they concern, and answers with what whoever leads those has said. Silences and models concern all
 * partitions. Rejects with TOC_PARTITION_UNOWNED while a partition has no owner: what is in the log by then will be carried out.
 */
export function createFleetCommands({ writers, voices, clock }: FleetCommandOptions): CommandGate {
  const submitTo = async (partition: number, command: Command): Promise<CommandAnswer> => {
    const payload = inLogTime(command, clock.aheadMs);
    const { position } = await writers[partition]!.append({
      kind: 'command',
      timeMs: clock.nowMs(),
      payload,
    });
    return voices[partition]!.answerTo(payload, position);
  };

  const submitToAll = async (command: Command): Promise<CommandAnswer> => {
    const answers = await Promise.all(voices.map((_, partition) => submitTo(partition, command)));
    return answers.find(({ status }) => status === 'done') ?? answers[0]!;
  };

  const submitByIds = (
    command: Command,
    what: 'incident' | 'run',
    ids: readonly string[],
  ): Promise<CommandAnswer> | CommandAnswer => {
    const partitions = new Set(ids.map(partitionOfId));
    const [partition] = partitions;
    if (partitions.size > 1) return refused('invalid', `${ids.join(', ')} are of different domains`);
    if (partition === null || partition === undefined || partition >= voices.length) {
      return refused('not_found', `there is no ${what} ${ids[0]}`);
    }
    return submitTo(partition, command);
  };

  const submitUndo = async (command: Command, undoneId: string): Promise<CommandAnswer> => {
    const known = await Promise.all(voices.map((voice) => voice.remembers(undoneId)));
    const partition = known.indexOf(true);
    if (partition < 0)
      return refused('not_found', `no command ${undoneId} that could be taken back is remembered`);
    return submitTo(partition, command);
  };

  return {
    async submit(command) {
      switch (command.kind) {
        case 'silence.set':
        case 'silence.expire':
        case 'model.activate':
        case 'model.shadow':
          return submitToAll(command);
        case 'incident.undo':
          return submitUndo(command, command.body.commandId);
        case 'incident.merge':
          return submitByIds(command, 'incident', [command.body.intoId, ...command.body.fromIds]);
        case 'incident.acknowledge':
        case 'incident.resolve':
        case 'incident.split':
        case 'runbook.start':
          return submitByIds(command, 'incident', [command.body.incidentId]);
        default:
          return submitByIds(command, 'run', [command.body.runId]);
      }
    },
  };
}

function refused(
  code: Extract<CommandAnswer, { status: 'refused' }>['code'],
  message: string,
): CommandAnswer {
  return { status: 'refused', code, message };
}
