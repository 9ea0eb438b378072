import { SingleBar } from 'cli-progress';

/** A bar on a terminal; null elsewhere, so that logs and pipes stay clean. Whoever opens it stops it. */
export function openProgressBar(what: string, total: number): SingleBar | null {
  if (!process.stderr.isTTY) return null;
  const bar = new SingleBar({
    format: `${what} {bar} {percentage} % | {duration_formatted}`,
    stream: process.stderr,
    clearOnComplete: true,
  });
  bar.start(total, 0);
  return bar;
}
