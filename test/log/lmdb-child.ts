/**
 * A process that writes to a log until it is killed or the disk refuses. Says each append that was acknowledged, a line each.
 *
 *   node test/log/lmdb-child.ts <folder> endless | full
 */
import type { Entry } from '../../src/engine/index.ts';
import { openLmdbLog } from '../../src/log/index.ts';

const [folder = '', mode] = process.argv.slice(2);
const log = openLmdbLog(folder);
const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
const entry = (payload: unknown): Entry => ({ kind: 'alerts', timeMs: 1, payload });
/** Text that does not compress. */
const noise = (seed: number): string =>
  Array.from({ length: 400 }, (_, i) => Math.imul(seed * 400 + i, 2654435761).toString(36)).join('');

process.on('unhandledRejection', (reason) => {
  say({ unhandled: String(reason) });
  process.exit(1);
});

async function appendOn(lane: number): Promise<void> {
  for (let turn = 0; ; turn++) {
    const text = `${lane}/${turn}`;
    const { position } = await log.append(entry([text, noise(turn)]));
    say({ position, text });
  }
}

if (mode === 'endless') await Promise.all(Array.from({ length: 8 }, (_, lane) => appendOn(lane)));
else {
  const attempt = (): Promise<PromiseSettledResult<unknown>[]> =>
    Promise.allSettled(Array.from({ length: 4 }, (_, lane) => log.append(entry([`${lane}`, noise(lane)]))));
  let results = await attempt();
  while (results.every(({ status }) => status === 'fulfilled')) results = await attempt();
  const again = await attempt();
  const codes = [...results, ...again].flatMap((result) =>
    result.status === 'rejected' ? [(result.reason as { code: string }).code] : [],
  );
  const { lastPosition } = log;
  say({ codes: [...new Set(codes)], lastPosition, read: (await log.read(1, lastPosition)).entries.length });
  await log.close();
}
