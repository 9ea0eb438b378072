import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Command } from 'commander';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { addScoreCommand } from '../../src/app/commands/score.ts';
import { readSeries } from '../../src/app/series/read-series.ts';
import { noise, startMs, stepMs } from '../score/series-scene.ts';

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tocsin-series-'));
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
  rmSync(folder, { recursive: true });
});

function write(path: string, text: string): string {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

/** A calm series of 1,500 points whose last one stands out. */
function calmWithSpike(): string {
  const rows = [...noise(1499, 3, (_, z) => 0.5 + 0.03 * z), 0.97].map(
    (value, i) => `${new Date(startMs + i * stepMs).toISOString()},${value}`,
  );
  return ['timestamp,value', ...rows, ''].join('\n');
}

/** Runs `tocsin score` and returns what it printed. */
async function runScore(...args: string[]): Promise<{ out: string; err: string }> {
  const out = vi.spyOn(console, 'log').mockReturnValue();
  const err = vi.spyOn(console, 'error').mockReturnValue();
  const program = new Command().exitOverride();
  addScoreCommand(program);
  await program.parseAsync(['score', ...args], { from: 'user' });
  return { out: out.mock.calls.join('\n'), err: err.mock.calls.join('\n') };
}

describe('reading', () => {
  test('times may be RFC 3339, without a zone, or counted since 1970, and other columns are passed over', async () => {
    const file = write(
      'a.csv',
      'host,Timestamp,value\na,2026-01-05T00:00:00Z,1\na,2026-01-05 00:05:00,2\na,1767571800,3\na,1767572100000,-4e-2\n',
    );
    const rows = await readSeries(file);
    expect(rows.map(({ timeMs }) => (timeMs - startMs) / stepMs)).toEqual([0, 1, 2, 3]);
    expect(rows.map(({ number }) => number)).toEqual([1, 2, 3, -0.04]);
    expect(rows[1]).toMatchObject({ timestamp: '2026-01-05 00:05:00', value: '2' });
  });

  test('what cannot be read is named by line and column, all at once', async () => {
    const file = write(
      'a.csv',
      'timestamp,value\n2026-01-05T00:00:00Z,1\n"2026-02-30, noon",2\n2026-01-05T00:05:00Z,n/a\n2026-01-05T00:10:00Z\n',
    );
    await expect(readSeries(file)).rejects.toMatchObject({
      code: 'TOC_SERIES_INVALID',
      message: [
        `${file}:3:1: timestamp: expected a time such as 2026-01-31T10:00:00Z, found "2026-02-30, noon"`,
        `${file}:4:22: value: expected a finite number, found "n/a"`,
        `${file}:5:21: value: expected a finite number, found the row ends before it`,
      ].join('\n'),
    });
  });

  test.each([
    ['an empty file', '', '1:1: the file is empty; expected the header timestamp,value'],
    ['a missing column', 'time,value\n', '1:1: the header has no column "timestamp"; it has "time", "value"'],
    ['a quote without an end', 'timestamp,value\n"2026', '2:1: the quotes of a field do not end'],
  ])('%s is refused', async (_, text, message) => {
    const file = write('a.csv', text);
    await expect(readSeries(file)).rejects.toMatchObject({
      code: 'TOC_SERIES_INVALID',
      message: `${file}:${message}`,
    });
  });

  test('of many mistakes ten are shown and the rest is counted', async () => {
    const file = write('a.csv', `timestamp,value\n${'2026-01-05T00:00:00Z,x\n'.repeat(14)}`);
    await expect(readSeries(file)).rejects.toThrow(/:11:22: .*\nand 4 more$/);
  });

  test('a file that is not there is told as such', async () => {
    await expect(readSeries(join(folder, 'none.csv'))).rejects.toMatchObject({
      code: 'TOC_SERIES_UNREADABLE',
    });
  });
});

describe('tocsin score', () => {
  test('writes a row for each row, with surprise and reason, and draws the series', async () => {
    const input = write('in.csv', calmWithSpike());
    const { out } = await runScore(
      input,
      '--out',
      join(folder, 'out.csv'),
      '--plot',
      join(folder, 'out.svg'),
    );
    expect(out).toMatch(/^1,500 points of 1 series, \d+ with a surprise of 0\.999 or more$/);
    const lines = readFileSync(join(folder, 'out.csv'), 'utf8').trimEnd().split('\n');
    const given = readFileSync(input, 'utf8').trimEnd().split('\n');
    expect(lines[0]).toBe('timestamp,value,surprise,reason');
    expect(lines.map((line) => line.split(',').slice(0, 2).join(','))).toEqual(given);
    expect(lines[1]).toContain(',0,still learning: 0 of the 40 points needed');
    expect(Number(lines.at(-1)!.split(',')[2])).toBeGreaterThan(0.999);
    expect(lines.at(-1)).toMatch(/value 0\.97, usual 0\.4\d* to 0\.5\d*/);
    const picture = readFileSync(join(folder, 'out.svg'), 'utf8');
    expect(picture).toContain('<svg');
    expect(picture).toContain('in.csv');
    expect(picture).toContain('surprise ≥ 0.999');
  });

  test('mirrors the tree of a folder, and one bad file does not keep the others back', async () => {
    write('in/a/one.csv', calmWithSpike());
    write('in/b/two.csv', 'timestamp,value\nyesterday,1\n');
    write('in/b/notes.txt', 'no series');
    const { out, err } = await runScore(
      join(folder, 'in'),
      '--out',
      join(folder, 'out'),
      '--plot',
      join(folder, 'plots'),
    );
    expect(out).toMatch(/^1,500 points of 1 series/);
    expect(err).toMatch(/two\.csv:2:1: timestamp/);
    expect(process.exitCode).toBe(1);
    expect(readFileSync(join(folder, 'out/a/one.csv'), 'utf8')).toContain('surprise');
    expect(readFileSync(join(folder, 'plots/a/one.svg'), 'utf8')).toContain('<svg');
    expect(() => readFileSync(join(folder, 'out/b/two.csv'))).toThrow('ENOENT');
  });

  test('what is read is never overwritten', async () => {
    const input = write('in.csv', calmWithSpike());
    await expect(runScore(input, '--out', input)).rejects.toMatchObject({ code: 'TOC_SERIES_UNREADABLE' });
    await expect(runScore(folder, '--out', folder)).rejects.toMatchObject({ code: 'TOC_SERIES_UNREADABLE' });
  });
});
