import { spawn, type ChildProcess } from 'node:child_process';
import { appendFileSync, readFileSync } from 'node:fs';

/** What chaos does to a process, and what it must know of it. */
export interface Victim {
  readonly name: string;
  /** Null while it does not run. */
  readonly pid: number | null;
  /** Kills it, and resolves once it is gone. */
  kill(): Promise<void>;
  /** Tells it to end. Rejects where it does not within `withinMs`, when it is killed, or where it does not end well. */
  end(withinMs: number): Promise<void>;
  start(): void;
  pause(): void;
  resume(): void;
  /** Resolves once it does its work again after `start`. */
  ready(): Promise<void>;
}

/** A process that ended though nobody told it to. */
export interface UnaskedEnd {
  readonly name: string;
  readonly atMs: number;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** It had said that it was ready. */
  readonly wasReady: boolean;
}

export interface SupervisedOptions {
  readonly name: string;
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Everything that it says is appended here. */
  readonly outputFile: string;
  /** What it says once it is ready. */
  readonly says: RegExp;
  /** Told of each line that it says. */
  readonly onLine?: (line: string) => void;
  readonly onUnaskedEnd: (end: UnaskedEnd) => void;
}

const patienceMs = 180_000;
const restartWaitMs = 1000;

/** A process that is started again when it ends by itself, as a service manager does. */
export class Supervised implements Victim {
  readonly name: string;
  readonly #options: SupervisedOptions;
  #child: ChildProcess | null = null;
  #exited: Promise<void> = Promise.resolve();
  #ready = Promise.withResolvers<void>();
  #isWanted = false;
  #exitCode: number | null = null;
  /** When its last life began, by `performance.now()`. */
  startedMs = 0;

  constructor(options: SupervisedOptions) {
    this.name = options.name;
    this.#options = options;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  start(): void {
    this.#isWanted = true;
    if (!this.#child) this.#spawn();
  }

  async ready(): Promise<void> {
    const tooLong = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => tooLong.reject(new Error(`${this.name} is not ready after ${patienceMs / 1000} s`)),
      patienceMs,
    );
    try {
      await Promise.race([this.#ready.promise, tooLong.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  kill(): Promise<void> {
    return this.#signal('SIGKILL');
  }

  async end(withinMs: number): Promise<void> {
    if (!this.#child) return;
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.#child?.kill('SIGKILL');
    }, withinMs);
    await this.#signal('SIGTERM');
    clearTimeout(timer);
    if (isLate) throw new Error(`${this.name} did not end within ${withinMs / 1000} s of SIGTERM`);
    if (this.#exitCode !== 0) throw new Error(`${this.name} ended with ${this.#exitCode} after SIGTERM`);
  }

  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  async #signal(signal: NodeJS.Signals): Promise<void> {
    this.#isWanted = false;
    const exited = this.#exited;
    this.#child?.kill(signal);
    await exited;
  }

  #spawn(): void {
    const { command, environment, onUnaskedEnd } = this.#options;
    const [file = '', ...args] = command;
    const child = spawn(file, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    });
    this.#child = child;
    this.startedMs = performance.now();
    const ready = Promise.withResolvers<void>();
    let isReady = false;
    void ready.promise.then(() => (isReady = true));
    // Whoever waits for an earlier life waits for this one.
    void ready.promise.then(this.#ready.resolve);
    this.#ready = ready;
    this.#listen(child, ready.resolve);
    this.#exited = new Promise((resolve) => {
      child.once('error', () => resolve());
      child.once('exit', (code, signal) => {
        this.#child = null;
        this.#exitCode = code;
        resolve();
        if (!this.#isWanted) return;
        onUnaskedEnd({ name: this.name, atMs: Date.now(), code, signal, wasReady: isReady });
        setTimeout(() => this.#isWanted && !this.#child && this.#spawn(), restartWaitMs).unref();
      });
    });
  }

  #listen(child: ChildProcess, ready: () => void): void {
    const { outputFile, says, onLine } = this.#options;
    for (const stream of [child.stdout, child.stderr]) {
      let rest = '';
      stream?.setEncoding('utf8');
      stream?.on('data', (text: string) => {
        appendFileSync(outputFile, text);
        const lines = `${rest}${text}`.split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) {
          if (says.test(line)) ready();
          onLine?.(line);
        }
      });
    }
  }
}

/** Resident memory of a process in MiB, as the system counts it (Linux); null where it is gone. */
export function residentMib(pid: number): number | null {
  try {
    const found = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return found === undefined ? null : Number(found) / 1024;
  } catch {
    return null;
  }
}
