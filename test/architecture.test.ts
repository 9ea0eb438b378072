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
  log: [...words, 'nats'],
  cluster: ['engine', 'log'],
  store: words,
  history: words,
  fleet: ['engine'],
  nats: ['alert', 'engine'],
  source: [...words, 'nats'],
  mute: words,
  dedup: words,
  score: words,
  correlate: words,
  triage: words,
  calm: words,
  dispatch: words,
  notify: [...words, 'template'],
  runbook: words,
  template: words,
  api: ['alert', 'incident'],
  app: ['*'],
};

/** Third-party clients: each room that needs one has one file that imports it. */
const oneFileARoom = [
  'lmdb',
  'ioredis',
  '@nats-io/jetstream',
  '@nats-io/transport-node',
  '@clickhouse/client',
  'chdb',
  'piscina',
  're2js',
  'p-retry',
  'cli-progress',
  'csv-parse',
  'csv-stringify',
  'echarts',
  'pino',
  'undici',
  'nodemailer',
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

test('each third-party client is imported in one file of a room', () => {
  const importers = oneFileARoom.flatMap((client) =>
    files
      .filter(
        ({ imports, file }) =>
          imports.some((target) => target === client || target.startsWith(`${client}/`)) &&
          !isTypeOnly(file, client),
      )
      .map(({ file }) => ({ client, room: roomOf(file), file })),
  );
  const crowds = Map.groupBy(importers, ({ client, room }) => `${client} in ${room}`);
  const violations = [...crowds]
    .filter(([, members]) => members.length > 1)
    .map(([where, members]) => `${where}: ${members.map(({ file }) => file).join(', ')}`);
  expect(violations).toEqual([]);
});

test('no file of src/ has more than 300 code lines', () => {
  const long = files
    .map(({ file }) => ({ file, lines: codeLines(join(source, file)) }))
    .filter(({ lines }) => lines > 300);
  expect(long).toEqual([]);
});

test('nothing that is simulated takes time, chance or a turn from the machine', () => {
  const folder = resolve(import.meta.dirname, '../simulation');
  // These tell a person of runs; the timeline takes turns of Node's loop, which end when nothing is left to do.
  const exempt: Record<string, RegExp> = {
    'run.ts': /Date\.now/,
    'report.ts': /performance/,
    'clock.ts': /setImmediate/,
  };
  const foreign =
    /\b(?:Date\.now|new Date|Math\.random|randomBytes|randomUUID|performance|setTimeout|setInterval|setImmediate|nextTick|node:(?:fs|net|timers|worker_threads)[^']*)/g;
  const violations = readdirSync(folder).flatMap((file) =>
    [...readFileSync(join(folder, file), 'utf8').matchAll(foreign)]
      .filter(([found]) => !exempt[file]?.test(found))
      .map(([found]) => `${file}: ${found}`),
  );
  expect(violations).toEqual([]);
});

function roomOf(file: string): string {
  return file.split(sep)[0] ?? '';
}

function isTypeOnly(file: string, client: string): boolean {
  const lines = readFileSync(join(source, file), 'utf8')
    .split('\n')
    .filter((line) => line.includes(`'${client}'`));
  return lines.every((line) => /^(?:import|export) type /.test(line));
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
