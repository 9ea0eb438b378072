import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { groupLines, type GroupedLine, type LineGroups } from '../../src/app/group-lines.ts';
import { renderGroups } from '../../src/app/render-groups.ts';
import { dedupConfig } from '../../src/dedup/index.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tocsin-dedup-'));
});

afterAll(() => rm(folder, { recursive: true }));

interface Grouped extends LineGroups {
  readonly lines: readonly GroupedLine[];
  readonly bad: readonly string[];
}

async function group(content: string | Buffer, name = 'lines.txt'): Promise<Grouped> {
  const file = join(folder, name);
  await writeFile(file, content);
  const lines: GroupedLine[] = [];
  const bad: string[] = [];
  const groups = await groupLines(file, {
    config: dedupConfig.parse({}),
    context: { resolveTimeoutMs: 300_000, defaultDomain: 'default', domainLabel: 'domain' },
    onBadLine: (line, message) => void bad.push(`${line}: ${message}`),
    onProgress: () => undefined,
    onLine: (line) => void lines.push(line),
  });
  return { ...groups, lines, bad };
}

function groupsOf({ lines }: Grouped): (number | null)[] {
  return lines.map((line) => line.group);
}

const users = ['alice', 'bob', 'carol', 'dave', 'erin'];

describe('lines of text', () => {
  test('that differ in what varies are one group, with its first text and its template', async () => {
    const { lines, format } = await group('disk 91% full on web\ndisk is idle\ndisk 7% full on web\n');
    expect(format).toBe('text');
    expect(lines).toEqual([
      {
        index: 0,
        group: 0,
        representative: 'disk 91% full on web',
        similarity: 1,
        template: 'disk <num>% full on web',
      },
      { index: 1, group: 1, representative: 'disk is idle', similarity: 1, template: 'disk is idle' },
      {
        index: 2,
        group: 0,
        representative: 'disk 91% full on web',
        similarity: 1,
        template: 'disk <num>% full on web',
      },
    ]);
  });

  test('are grouped by what the whole file teaches, those at its begin too', async () => {
    const grouped = await group(users.map((user) => `login of user ${user} noted`).join('\n'));
    expect(groupsOf(grouped)).toEqual([0, 0, 0, 0, 0]);
    expect(grouped.lines[4]?.template).toBe('login of user <*> noted');
  });

  test('that tell opposites apart are never one group', async () => {
    expect(groupsOf(await group('link 1 is up\nlink 2 is down\n'))).toEqual([0, 1]);
  });

  test('are read from compressed files, with any line end, and blank ones too', async () => {
    expect(groupsOf(await group(gzipSync('a 1\r\n\r\na 2\n'), 'lines.txt.gz'))).toEqual([0, 1, 0]);
    expect((await group('')).lineCount).toBe(0);
  });
});

describe('alerts', () => {
  function alert(labels: Record<string, string>, summary: string, more = {}): string {
    return JSON.stringify({ labels, annotations: { summary }, startsAt: '2026-01-05T00:00:00Z', ...more });
  }

  test('of different protected labels, or different ends, are never one group', async () => {
    const disk = { alertname: 'Disk', host: 'a' };
    const grouped = await group(
      [
        alert(disk, 'disk 91% full'),
        alert({ ...disk, host: 'b' }, 'disk 91% full'),
        alert(disk, 'disk 92% full'),
        alert(disk, 'disk 92% full', { endsAt: '2026-01-05T00:00:00Z' }),
      ].join('\n'),
    );
    expect(grouped.format).toBe('ndjson');
    expect(groupsOf(grouped)).toEqual([0, 1, 0, 2]);
  });

  test('of one label set with texts of different things are different groups', async () => {
    const log = { alertname: 'Log' };
    expect(groupsOf(await group([alert(log, 'engine stopped'), alert(log, 'door open')].join('\n')))).toEqual(
      [0, 1],
    );
  });

  test('that cannot be read have their line, and the number of it is told', async () => {
    const grouped = await group(
      [alert({ alertname: 'A' }, 'x'), '', '{"labels":', alert({ alertname: 'A' }, 'x')].join('\n'),
    );
    expect(grouped.bad).toEqual([expect.stringMatching(/^3: expected JSON/)]);
    expect(grouped.lines.map(({ index, group: number }) => [index, number])).toEqual([
      [0, 0],
      [2, null],
      [3, 0],
    ]);
    expect(grouped).toMatchObject({ lineCount: 3, badLineCount: 1 });
  });
});

test('a file that is not there is named', async () => {
  const options = {
    config: dedupConfig.parse({}),
    context: { resolveTimeoutMs: 1, defaultDomain: 'd', domainLabel: 'd' },
  };
  const quiet = { onBadLine: () => undefined, onProgress: () => undefined, onLine: () => undefined };
  await expect(groupLines(join(folder, 'none.txt'), { ...options, ...quiet })).rejects.toThrow(/none\.txt/);
});

test('groups are printed by size, within 80 columns, with what is left out', async () => {
  const grouped = await group(
    ['b 1', 'b 2', 'b 3', `a ${'very long word '.repeat(30)}`, 'c is here', 'd is there', 'c is here'].join(
      '\n',
    ),
  );
  const text = stripVTControlCharacters(renderGroups(grouped, 3));
  expect(text.split('\n').every((line) => line.length <= 80)).toBe(true);
  expect(text).toMatch(
    /^7 lines in 4 groups \(42\.9 % fewer\)\n\n +size {2}template\n +3 {2}b <num>\n +2 {2}c is here\n +1 {2}a very/,
  );
  expect(text).toMatch(/…\n +1 {2}in 1 smaller group; --all shows them$/);
});

test.each(['missing.ndjson', 'missing.gz', 'not.gz'])(
  '%s, which cannot be read, is told with a code',
  async (name) => {
    await writeFile(join(folder, 'not.gz'), 'no gzip');
    const options = {
      config: dedupConfig.parse({}),
      context: { resolveTimeoutMs: 300_000, defaultDomain: 'default', domainLabel: 'domain' },
      onBadLine: () => undefined,
      onProgress: () => undefined,
      onLine: () => undefined,
    };
    await expect(groupLines(join(folder, name), options)).rejects.toMatchObject({
      code: 'TOC_RECORDING_UNREADABLE',
      message: `cannot read ${join(folder, name)}`,
    });
  },
);
