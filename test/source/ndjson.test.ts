import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { labelValue, type Alert } from '../../src/alert/index.ts';
import { readAlertLines } from '../../src/source/index.ts';
import { context } from './scene.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tocsin-ndjson-'));
});
afterAll(() => rm(folder, { recursive: true }));

interface Read {
  readonly alerts: Alert[];
  readonly errors: { line: number; message: string }[];
  readonly bytesRead: number;
}

async function read(content: string | Buffer, name = 'alerts.ndjson'): Promise<Read> {
  const file = join(folder, name);
  await writeFile(file, content);
  const alerts: Alert[] = [];
  const errors: { line: number; message: string }[] = [];
  let bytesRead = 0;
  for await (const lines of readAlertLines(file, context)) {
    alerts.push(...lines.alerts);
    errors.push(...lines.errors);
    bytesRead = lines.bytesRead;
  }
  return { alerts, errors, bytesRead };
}

function line(name: string, more: object = {}): string {
  return JSON.stringify({ labels: { alertname: name }, ...more });
}

const names = ({ alerts }: Read): string[] => alerts.map(({ labels }) => labelValue(labels, 'alertname'));

describe('a file of alerts', () => {
  test('a line of a time that no recording has is refused, or received with the one before', async () => {
    const { alerts, errors } = await read(
      [
        line('a', { receivedAt: '2022-01-25T00:07:00Z' }),
        line('b', { receivedAt: '9998-01-01T00:00:00Z' }),
        line('c', { receivedAt: '0003-01-01T00:00:00Z' }),
        line('d', { startsAt: '0003-01-01T00:00:00Z' }),
      ].join('\n'),
    );
    const message = 'receivedAt: expected a time from 1970 to 2199';
    expect(errors).toEqual([
      { line: 2, message },
      { line: 3, message },
    ]);
    const timeMs = Date.parse('2022-01-25T00:07:00Z');
    expect(alerts.map(({ receivedAtMs }) => receivedAtMs)).toEqual([timeMs, timeMs]);
  });

  test('an alert a line, received when the line says so', async () => {
    const { alerts, errors } = await read(
      `${line('a', { startsAt: '2022-01-25T00:06:19Z', receivedAt: '2022-01-25T00:07:00Z' })}\n`,
    );
    expect(errors).toEqual([]);
    expect(alerts).toMatchObject([
      {
        startsAtMs: Date.parse('2022-01-25T00:06:19Z'),
        receivedAtMs: Date.parse('2022-01-25T00:07:00Z'),
        endsAtMs: Date.parse('2022-01-25T00:12:00Z'),
        endsByTimeout: true,
        source: 'file',
      },
    ]);
  });

  test('a line that does not say so was received when it started, else with the line above it', async () => {
    const { alerts } = await read(`${line('a', { startsAt: '2022-01-25T00:06:19Z' })}\n${line('b')}\n`);
    const timeMs = Date.parse('2022-01-25T00:06:19Z');
    expect(alerts.map(({ receivedAtMs }) => receivedAtMs)).toEqual([timeMs, timeMs]);
  });

  test('lines that do not parse are told by their number, and skipped', async () => {
    const result = await read(
      [
        line('a'),
        '',
        '{"labels":',
        '   ',
        '[]',
        '{"labels":{"a":1}}',
        line('b', { receivedAt: 'soon' }),
        line('c'),
      ].join('\n'),
    );
    expect(names(result)).toEqual(['a', 'c']);
    expect(result.errors).toEqual([
      { line: 3, message: 'expected JSON: Unexpected end of JSON input' },
      { line: 5, message: 'expected a JSON object' },
      { line: 6, message: 'alert.labels.a: expected a string, got number' },
      { line: 7, message: 'receivedAt: expected an RFC 3339 time, got "soon"' },
    ]);
  });

  test('the last line needs no end, and lines may end as in Windows', async () => {
    expect(names(await read(`${line('a')}\r\n${line('b')}`))).toEqual(['a', 'b']);
    expect(names(await read(''))).toEqual([]);
    expect(names(await read('\n\n'))).toEqual([]);
    expect(names(await read(`\ufeff${line('a')}\n`))).toEqual(['a']);
  });

  test('lines and characters are whole where the file is read in pieces', async () => {
    const many = Array.from({ length: 30_000 }, (_, i) => line(`größe-🙂-${i}`));
    const text = `${many.join('\n')}\n`;
    const result = await read(text);
    expect(names(result)).toEqual(many.map((_, i) => `größe-🙂-${i}`));
    expect(result.errors).toEqual([]);
    expect(result.bytesRead).toBe(Buffer.byteLength(text));
  });

  test('a compressed file is read as what it holds', async () => {
    const zipped = gzipSync(`${line('a')}\n${line('b')}\n`);
    const result = await read(zipped, 'alerts.ndjson.gz');
    expect(names(result)).toEqual(['a', 'b']);
    expect(result.bytesRead).toBe(zipped.length);
  });

  test('a compressed file that is cut off, or a file that is not there, rejects', async () => {
    const zipped = gzipSync(line('a').repeat(100));
    await expect(read(zipped.subarray(0, zipped.length - 12), 'cut.ndjson.gz')).rejects.toThrow();
    await expect(async () => {
      for await (const lines of readAlertLines(join(folder, 'absent.ndjson'), context))
        expect(lines).toBeNull();
    }).rejects.toMatchObject({ code: 'TOC_RECORDING_UNREADABLE' });
    await expect(async () => {
      for await (const lines of readAlertLines(join(folder, 'absent.gz'), context)) expect(lines).toBeNull();
    }).rejects.toMatchObject({ code: 'TOC_RECORDING_UNREADABLE' });
  });

  test('a line that is too long is skipped; the next is read', async () => {
    const result = await read(`${line('a')}\n${'x'.repeat(70_000_000)}\n${line('b')}\n`);
    expect(names(result)).toEqual(['a', 'b']);
    expect(result.errors).toEqual([{ line: 2, message: 'expected a line of at most 33554432 characters' }]);
    const atEnd = await read(`${line('a')}\n${'x'.repeat(40_000_000)}`);
    expect(names(atEnd)).toEqual(['a']);
    expect(atEnd.errors.map((error) => error.line)).toEqual([2]);
  });
});
