import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cluster, type ClusterChange, type ClusterEnd } from '../../src/cluster/index.ts';
import type { Checkpoint, Entry } from '../../src/engine/index.ts';
import { openLmdbLog, type ReplicaLog } from '../../src/log/index.ts';
import { Cable } from '../support/cable.ts';
import { freePort } from '../support/port.ts';

export interface Member {
  readonly cluster: Cluster<Entry>;
  readonly changes: ClusterChange[];
  /** What its state was replaced with, in order. */
  readonly replaced: (Checkpoint | null)[];
  /** What the member was given while it led. */
  readonly asked: unknown[];
  readonly ended: Promise<ClusterEnd>;
  payloads(): Promise<unknown[]>;
  leave(): Promise<void>;
}

/** Members of one cluster in this process, each with a log on disk of its own, and cables between them. */
export class ClusterScene {
  readonly #folders: string[] = [];
  readonly #ports: number[] = [];
  readonly #cables: Cable[] = [];
  readonly #members: Member[] = [];
  checkpoint: Checkpoint | null = null;

  static async of(count: number): Promise<ClusterScene> {
    const scene = new ClusterScene();
    for (let index = 0; index < count; index++) {
      scene.#folders.push(await mkdtemp(join(tmpdir(), 'tocsin-cluster-')));
      const port = await freePort();
      scene.#ports.push(port);
      scene.#cables.push(await Cable.lay(port));
    }
    return scene;
  }

  /** Nobody reaches the member any more; it reaches others. */
  cut(index: number): void {
    this.#cables[index]!.cut();
  }

  mend(index: number): void {
    this.#cables[index]!.mend();
  }

  log(index: number): ReplicaLog {
    return openLmdbLog(join(this.#folders[index]!, 'log'));
  }

  async join(index: number, token: string | null = null): Promise<Member> {
    const log = this.log(index);
    const changes: ClusterChange[] = [];
    const replaced: (Checkpoint | null)[] = [];
    const asked: unknown[] = [];
    const cluster = await Cluster.join<Entry>({
      listen: { host: '127.0.0.1', port: this.#ports[index]! },
      advertise: this.#cables[index]!.address,
      peers: this.#cables.map(({ address }) => address),
      token,
      leaderPatienceMs: 300,
      lineageFile: join(this.#folders[index]!, 'cluster.json'),
      log,
      readCheckpoint: async () => this.checkpoint,
      replaceState: async (checkpoint) => {
        replaced.push(checkpoint);
        await log.reset();
      },
      onChange: (change) => changes.push(change),
    });
    cluster.answerWith(async ({ message }) => {
      asked.push(message);
      const { position } = await cluster.log.append(entry(message));
      return { result: `kept ${String(message)}`, position };
    });
    const leave = async (): Promise<void> => {
      await cluster.stop();
      await log.close();
    };
    const payloads = async (): Promise<unknown[]> =>
      (await log.read(log.firstPosition, 10_000)).entries.map(({ payload }) => payload);
    const member = { cluster, changes, replaced, asked, ended: cluster.ended, payloads, leave };
    this.#members.push(member);
    return member;
  }

  async end(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.leave()));
    await Promise.all(this.#cables.map((cable) => cable.remove()));
    await Promise.all(this.#folders.map((folder) => rm(folder, { recursive: true, force: true })));
  }
}

export function entry(payload: unknown): Entry {
  return { kind: 'command', timeMs: 1, payload };
}

/** Resolves once the log of the member has an entry at `position`. */
export function reaches({ cluster }: Member, position: number): Promise<void> {
  return new Promise((resolve) => {
    const leave = cluster.log.subscribe(() => {
      if (cluster.log.lastPosition < position) return;
      leave();
      resolve();
    });
    if (cluster.log.lastPosition >= position) {
      leave();
      resolve();
    }
  });
}
