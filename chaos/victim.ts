import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export type VictimKind = 'nats' | 'redis' | 'clickhouse' | 'gateway' | 'owner';

/** A process that faults happen to. */
export interface Victim {
  readonly name: string;
  readonly kind: VictimKind;
  kill(): Promise<void>;
  /** Resolves when it runs again; whether it can do its work by then depends on the others. */
  start(): Promise<void>;
  pause(): void;
  resume(): void;
  /** As an operator stops it; null for those that are only killed. */
  readonly terminate: (() => Promise<void>) | null;
}

export interface TocsinVictimOptions {
  readonly name: string;
  readonly kind: 'gateway' | 'owner';
  /** Of `node`. */
  readonly args: readonly string[];
  readonly url: string;
  readonly logFile: string;
}

export interface UnexpectedExit {
  readonly name: string;
  readonly status: string;
  /** It had answered by then: it was not its start that failed. */
  readonly hadServed: boolean;
}

const restartAfterMs = 300;
const patienceMs = 60_000;

/** A Tocsin process under a supervisor that starts it again when it ends by itself, as service managers do. */
export class TocsinVictim implements Victim {
  readonly name: string;
  readonly kind: 'gateway' | 'owner';
  readonly url: string;
  readonly logFile: string;
  /** Ends that nobody asked for. */
  readonly unexpectedExits: UnexpectedExit[] = [];
  readonly #args: readonly string[];
  #child: ChildProcess | null = null;
  #isWanted = false;
  #hasServed = false;

  constructor({ name, kind, args, url, logFile }: TocsinVictimOptions) {
    this.name = name;
    this.kind = kind;
    this.url = url;
    this.logFile = logFile;
    this.#args = args;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  async start(): Promise<void> {
    if (this.#isWanted) return;
    this.#isWanted = true;
    this.#spawn();
  }

  /** Resolves when it answers. */
  async ready(): Promise<void> {
    const untilMs = performance.now() + patienceMs;
    while (performance.now() < untilMs) {
      if (await this.#answers()) return;
      await sleep(100);
    }
    throw new Error(`${this.name} has not answered for a minute; see ${this.logFile}`);
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  readonly terminate = async (): Promise<void> => void (await this.stop());

  /** Gives the exit status of an orderly stop, or null where it had to be killed. */
  async stop(): Promise<number | null> {
    const child = this.#child;
    const late = setTimeout(() => child?.kill('SIGKILL'), patienceMs);
    await this.#end('SIGTERM');
    clearTimeout(late);
    return child?.exitCode ?? null;
  }

  async #end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    this.#isWanted = false;
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    // One that is paused would not hear of it.
    child.kill('SIGCONT');
    await exited;
  }

  #spawn(): void {
    const log = openSync(this.logFile, 'a');
    const child = spawn(process.execPath, this.#args, { stdio: ['ignore', log, log] });
    closeSync(log);
    this.#child = child;
    this.#hasServed = false;
    void this.#answersSoon(child);
    child.once('exit', (code, signal) => {
      if (!this.#isWanted || this.#child !== child) return;
      const status = signal ?? String(code);
      this.unexpectedExits.push({ name: this.name, status, hadServed: this.#hasServed });
      setTimeout(() => this.#isWanted && this.#child === child && this.#spawn(), restartAfterMs);
    });
  }

  async #answersSoon(child: ChildProcess): Promise<void> {
    while (this.#child === child && child.exitCode === null && child.signalCode === null) {
      if (await this.#answers()) {
        this.#hasServed = true;
        return;
      }
      await sleep(200);
    }
  }

  async #answers(): Promise<boolean> {
    try {
      const response = await fetch(`${this.url}/-/healthy`, { signal: AbortSignal.timeout(1000) });
      await response.arrayBuffer();
      return response.ok;
    } catch {
      return false;
    }
  }
}
