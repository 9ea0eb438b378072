import { createHash } from 'node:crypto';
import type { ClusterView, CommandGate, Ingest, IngestOutcome } from '../api/index.ts';
import type { Answer, Cluster, Question } from '../cluster/index.ts';
import { TocsinError, type PartitionOwner } from '../engine/index.ts';
import type { Command, CommandAnswer, Flow, LogEntry } from '../incident/index.ts';
import type { PartitionLog } from '../log/index.ts';

type Report = Parameters<Ingest['accept']>[0];

interface ForwardedReport {
  readonly fromId: string;
  readonly report: Report;
}

export interface ClusterDoorsOptions {
  readonly cluster: Cluster<LogEntry>;
  readonly log: Pick<PartitionLog, 'lastPosition'>;
  readonly owner: Pick<PartitionOwner<LogEntry, Flow>, 'applied'>;
  /** What takes reports and commands in while this process leads. */
  readonly ingest: Ingest;
  readonly commands: CommandGate;
  readonly nowMs: () => number;
}

const retryAfterSeconds = 1;

/** The ways into a cluster: whichever member is asked, the leader acts. What a command changes can be read where it was given. */
export function createClusterDoors(options: ClusterDoorsOptions): { ingest: Ingest; commands: CommandGate } {
  const { cluster, log, owner, ingest, commands, nowMs } = options;
  const once = new ReportsOnce(ingest, nowMs);

  cluster.answerWith(async ({ name, message }: Question): Promise<Answer> => {
    const result =
      name === 'report'
        ? await once.accept(message as ForwardedReport)
        : await commands.submit(message as Command);
    return { result, position: log.lastPosition };
  });

  return {
    ingest: {
      async accept(report) {
        try {
          const forwarded: ForwardedReport = { fromId: cluster.id, report };
          return (await cluster.ask('report', forwarded)).result as IngestOutcome;
        } catch (error) {
          if (!(error instanceof TocsinError)) throw error;
          const { code, message } = error;
          return { status: 'unavailable', code, message, retryAfterSeconds };
        }
      },
    },
    commands: {
      async submit(command) {
        const { result, position } = await cluster.ask('command', command);
        await owner.applied(position);
        return result as CommandAnswer;
      },
    },
  };
}

interface Taken {
  readonly outcome: Promise<IngestOutcome>;
  /** The members that brought it. */
  readonly fromIds: Set<string>;
  readonly atMs: number;
}

/** How far apart members bring the same. */
const sameWithinMs = 15_000;

/**
 * Prometheus sends every report to every member. The same bytes from another member are the same report, which is taken once; from the
 * same member they are a repetition.
 */
export class ReportsOnce {
  readonly #ingest: Ingest;
  readonly #nowMs: () => number;
  readonly #taken = new Map<string, Taken>();

  constructor(ingest: Ingest, nowMs: () => number) {
    this.#ingest = ingest;
    this.#nowMs = nowMs;
  }

  async accept({ fromId, report }: ForwardedReport): Promise<IngestOutcome> {
    this.#forget();
    const key = createHash('sha256')
      .update(JSON.stringify([report.format, report.domain ?? null]))
      .update(report.body)
      .digest('base64');
    const before = this.#taken.get(key);
    if (before && !before.fromIds.has(fromId)) {
      before.fromIds.add(fromId);
      return before.outcome;
    }
    const outcome = this.#ingest.accept(report);
    this.#taken.delete(key);
    const taken: Taken = { outcome, fromIds: new Set([fromId]), atMs: this.#nowMs() };
    this.#taken.set(key, taken);
    const isKept = (await outcome).status === 'accepted';
    if (!isKept && this.#taken.get(key) === taken) this.#taken.delete(key);
    return outcome;
  }

  #forget(): void {
    const beforeMs = this.#nowMs() - sameWithinMs;
    for (const [key, { atMs }] of this.#taken) {
      if (atMs >= beforeMs) return;
      this.#taken.delete(key);
    }
  }
}

/** The cluster as Alertmanager shows one. */
export function viewOf({ id, role, members }: Cluster<LogEntry>): ClusterView {
  return {
    name: id,
    status: role === 'seeking' ? 'settling' : 'ready',
    peers: members.map(({ id, address }) => ({ name: id, address })),
  };
}
