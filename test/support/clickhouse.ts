import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A ClickHouse engine that answers by HTTP, in a process of its own. */
export interface ClickHouseProcess {
  readonly url: string;
  readonly child: ChildProcess;
  /** Ends it at once (SIGKILL). */
  kill(): Promise<void>;
}

/** Starts `clickhouse-bridge.ts` with these flags, and waits until it answers. */
export async function startClickHouse(
  flags: Readonly<Record<string, string>> & { readonly path: string },
): Promise<ClickHouseProcess> {
  const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]);
  const child = spawn(process.execPath, [join(import.meta.dirname, 'clickhouse-bridge.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = (await firstLine(child)).replace(/^answers at /, '');
  return { url, child, kill: () => kill(child) };
}

/** The first line that a child prints. */
export async function firstLine(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error("the child's output is not piped");
  for await (const line of createInterface({ input: child.stdout })) return line;
  throw new Error('the child said nothing');
}

export async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}
