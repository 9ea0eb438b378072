import { expect, test } from 'vitest';
import { appendByDomain } from '../../src/app/fleet/router.ts';
import type { AlertsDraft } from '../../src/app/entry-codec.ts';
import { TocsinError } from '../../src/engine/index.ts';
import type { LogEntry } from '../../src/incident/index.ts';
import { decodeRequest, type Received } from '../../src/source/index.ts';

const context = { nowMs: 1000, resolveTimeoutMs: 1000, defaultDomain: 'default', domainLabel: 'domain' };

function draftOf(names: readonly string[]): AlertsDraft {
  const body = Buffer.from(JSON.stringify(names.map((alertname) => ({ labels: { alertname } }))));
  const received: Received = { format: 'json', context, aheadMs: 0, body };
  return { kind: 'alerts', timeMs: 1000, payload: decodeRequest(received).alerts, received };
}

/** A log that takes no entry with an alert of a long name, nor more than two alerts at once. */
function createLog(isAway: () => boolean = () => false) {
  const kept: string[] = [];
  let attempts = 0;
  return {
    kept,
    get attempts() {
      return attempts;
    },
    async append(entry: LogEntry) {
      attempts++;
      if (isAway()) throw new TocsinError('TOC_LOG_UNAVAILABLE', 'away');
      const names = (entry as AlertsDraft).payload.map(({ labels }) => labels[1]!);
      if (names.length > 2 || names.some((name) => name.length > 5))
        throw new TocsinError('TOC_LOG_ENTRY_TOO_LARGE', 'too large');
      kept.push(...names);
      return { position: kept.length, entry };
    },
  };
}

test('an alert that is too large alone is refused, and keeps none of the others out', async () => {
  const log = createLog();
  await expect(
    appendByDomain([log], draftOf(['a', 'far too long', 'b', 'c', 'd', 'too long', 'e'])),
  ).rejects.toMatchObject({ code: 'TOC_LOG_ENTRY_TOO_LARGE' });
  expect(log.kept).toEqual(['a', 'b', 'c', 'd', 'e']);
});

test('a log that goes away between parts is not asked for each of the others', async () => {
  const log = createLog(() => log.attempts > 2);
  await expect(appendByDomain([log], draftOf('abcdefgh'.split('')))).rejects.toMatchObject({
    code: 'TOC_LOG_UNAVAILABLE',
  });
  expect(log.attempts).toBe(3);
});
