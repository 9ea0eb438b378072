import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { describe, expect, test } from 'vitest';

const source = resolve(import.meta.dirname, '../src');

/** Which rooms a room may import. Anything that is not listed here is refused. */
const words = ['alert', 'incident', 'engine'];
const allowed: Record<string, readonly string[]> = {
  alert: [],
  incident: ['alert', 'engine'],
  engine: [],
  log: words,
  store: words,
  history: words,
  source: words,
  mute: words,
  dedup: words,
  score: words,
  correlate: words,
  triage: words,
  dispatch: words,
  notify: words,
  runbook: words,
  api: ['alert', 'incident'],
  app: ['*'],
};

/** Third-party clients that may be imported by one file only. */
const oneFileEach = [
  'lmdb',
  '@nats-io/transport-node',
  '@clickhouse/client',
  'chdb',
  'piscina',
  're2js',
  'p-retry',
  'cli-progress',
];

const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => ({ file, imports: importsOf(join(source, file)) }));

describe('rooms', () => {
  test('each room of src/ has its line in the table', () => {
    expect(readdirSync(source).toSorted()).toEqual(Object.keys(allowed).toSorted());
  });

  test('a room imports only what its line allows', () => {
    const violations = files.flatMap(({ file, imports }) => {
      const room = roomOf(file);
      const may = allowed[room] ?? [];
      return imports
        .filter((target) => target.startsWith('.'))
        .map((target) => relative(source, resolve(source, dirname(file), target)))
        .filter((target) => roomOf(target) !== room && !may.includes('*') && !may.includes(roomOf(target)))
        .map((target) => `${file} imports ${target}`);
    });
    expect(violations).toEqual([]);
  });

  test('a room is entered by its door, index.ts', () => {
    const violations = files.flatMap(({ file, imports }) =>
      imports
        .filter((target) => target.startsWith('.'))
        .map((target) => relative(source, resolve(source, dirname(file), target)))
        .filter(
          (target) =>
            roomOf(target) !== roomOf(file) && !target.startsWith('..') && !target.endsWith(`${sep}index.ts`),
        )
        .map((target) => `${file} imports ${target}`),
    );
    expect(violations).toEqual([]);
  });
});

test('each third-party client is imported in one file', () => {
  for (const client of oneFileEach) {
    const importers = files
      .filter(({ imports }) => imports.some((target) => target === client || target.startsWith(`${client}/`)))
      .map(({ file }) => file);
    expect(importers.length, `${client} is imported by ${importers.join(', ')}`).toBeLessThanOrEqual(1);
  }
});

test('no file of src/ has more than 300 code lines', () => {
  const long = files
    .map(({ file }) => ({ file, lines: codeLines(join(source, file)) }))
    .filter(({ lines }) => lines > 300);
  expect(long).toEqual([]);
});

function roomOf(file: string): string {
  return file.split(sep)[0] ?? '';
}

function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1] ?? '');
}

function codeLines(file: string): number {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => !/^\s*(\/\/|\*|\/\*|$)/.test(line)).length;
}
