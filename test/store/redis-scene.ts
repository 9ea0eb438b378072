import { createServer, connect as dial, type Socket } from 'node:net';
import { TocsinError, type Checkpoint, type CheckpointDelta } from '../../src/engine/index.ts';
import type { RedisConnection } from '../../src/store/index.ts';
import { freePort } from '../support/port.ts';

/** What happens to a row in a delta. A value of 100 kB makes a chunk of every two rows. */
export interface RowAct {
  readonly key: string;
  readonly act: 'put' | 'delete';
  readonly text: string;
}

/** Deltas as a fold makes them, and what the checkpoint is after each. */
export class CheckpointModel {
  readonly #rows = new Map<string, Checkpoint['rows'][number]>();
  #position = 0;
  #nextOrder = 1;

  next(acts: readonly RowAct[]): CheckpointDelta {
    const changes = new Map<string, CheckpointDelta['changes'][number]>();
    for (const { key, act, text } of acts) {
      if (changes.has(key)) continue;
      const row = this.#rows.get(key);
      if (act === 'delete') {
        this.#rows.delete(key);
        changes.set(key, { table: 't', key, order: null });
      } else {
        const value = text.repeat(100_000 / text.length);
        const order = row?.order ?? this.#nextOrder++;
        this.#rows.set(key, { table: 't', key, order, value });
        changes.set(key, { table: 't', key, order: row ? null : order, value });
      }
    }
    this.#position++;
    return { position: this.#position, timeMs: this.#position * 10, changes: [...changes.values()] };
  }

  get checkpoint(): Checkpoint {
    const rows = [...this.#rows.values()].sort((a, b) => a.order - b.order);
    return { position: this.#position, timeMs: this.#position * 10, rows };
  }
}

export function inOrder(checkpoint: Checkpoint | null): Checkpoint | null {
  return checkpoint && { ...checkpoint, rows: checkpoint.rows.toSorted((a, b) => a.order - b.order) };
}

export type Fault = 'command lost' | 'answer lost';

/** A connection that breaks at its nth command, before the server has it or after; everything after that is lost, until `mend`. */
export class BreakingConnection implements RedisConnection {
  readonly keyPrefix: string;
  readonly #inner: RedisConnection;
  #left = Infinity;
  #fault: Fault = 'command lost';
  commandCount = 0;

  constructor(inner: RedisConnection) {
    this.#inner = inner;
    this.keyPrefix = inner.keyPrefix;
  }

  breakAt(count: number, fault: Fault): void {
    this.#left = count;
    this.#fault = fault;
  }

  mend(): void {
    this.#left = Infinity;
  }

  send(...args: Parameters<RedisConnection['send']>): Promise<unknown> {
    return this.#pass(() => this.#inner.send(...args));
  }

  run(...args: Parameters<RedisConnection['run']>): Promise<unknown> {
    return this.#pass(() => this.#inner.run(...args));
  }

  async close(): Promise<void> {}

  async #pass(work: () => Promise<unknown>): Promise<unknown> {
    this.commandCount++;
    const isBroken = --this.#left <= 0;
    const isPassed = !isBroken || (this.#left === 0 && this.#fault === 'answer lost');
    const answer = isPassed ? await work() : null;
    if (isBroken) throw new TocsinError('TOC_STORE_UNAVAILABLE', 'the connection broke');
    return answer;
  }
}

/** A connection that does something before each command. */
export class WatchedConnection implements RedisConnection {
  readonly keyPrefix: string;
  readonly #inner: RedisConnection;
  readonly #before: (count: number, work: () => Promise<unknown>) => Promise<unknown>;
  #count = 0;

  /** `before` is given how many commands there were, this one included, and the command itself. */
  constructor(
    inner: RedisConnection,
    before: (count: number, work: () => Promise<unknown>) => Promise<unknown>,
  ) {
    this.#inner = inner;
    this.keyPrefix = inner.keyPrefix;
    this.#before = before;
  }

  async send(...args: Parameters<RedisConnection['send']>): Promise<unknown> {
    const work = (): Promise<unknown> => this.#inner.send(...args);
    await this.#before(++this.#count, work);
    return work();
  }

  async run(...args: Parameters<RedisConnection['run']>): Promise<unknown> {
    const work = (): Promise<unknown> => this.#inner.run(...args);
    await this.#before(++this.#count, work);
    return work();
  }

  async close(): Promise<void> {}
}

/** A connection that sends what it has sent before once more, in between: `pick` says which of so many, or none. */
export class RepeatingConnection implements RedisConnection {
  readonly keyPrefix: string;
  readonly #inner: RedisConnection;
  readonly #pick: (count: number) => number | null;
  readonly #sent: Parameters<RedisConnection['run']>[] = [];

  constructor(inner: RedisConnection, pick: (count: number) => number | null) {
    this.#inner = inner;
    this.keyPrefix = inner.keyPrefix;
    this.#pick = pick;
  }

  send(...args: Parameters<RedisConnection['send']>): Promise<unknown> {
    return this.#inner.send(...args);
  }

  async run(...args: Parameters<RedisConnection['run']>): Promise<unknown> {
    const late = this.#sent[this.#pick(this.#sent.length) ?? -1];
    if (late) await this.#inner.run(...late);
    this.#sent.push(args);
    return this.#inner.run(...args);
  }

  async close(): Promise<void> {}
}

/** A way to a server that is cut, once, when so many more bytes have passed. */
export class CutProxy {
  readonly port: number;
  #leftBytes = Infinity;
  readonly #sockets = new Set<Socket>();
  readonly #server;

  static async start(targetPort: number): Promise<CutProxy> {
    const proxy = new CutProxy(await freePort(), targetPort);
    await new Promise<void>((resolve) => proxy.#server.listen(proxy.port, '127.0.0.1', resolve));
    return proxy;
  }

  private constructor(port: number, targetPort: number) {
    this.port = port;
    this.#server = createServer((client) => {
      const target = dial(targetPort, '127.0.0.1');
      for (const [from, to] of [
        [client, target],
        [target, client],
      ] as const) {
        this.#sockets.add(from);
        from.on('error', () => {});
        from.on('close', () => {
          this.#sockets.delete(from);
          to.destroy();
        });
      }
      target.pipe(client);
      client.on('data', (bytes) => {
        const passed = bytes.subarray(0, this.#leftBytes);
        this.#leftBytes -= bytes.length;
        target.write(passed);
        if (this.#leftBytes > 0) return;
        this.#leftBytes = Infinity;
        target.unpipe(client);
        client.destroy();
        target.end();
      });
    });
  }

  /** How many bytes the client has to send until it is cut off. */
  cutAfter(bytes: number): void {
    this.#leftBytes = bytes;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
