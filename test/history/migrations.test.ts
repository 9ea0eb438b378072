import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadMigrations } from '../../src/history/migrations.ts';

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tocsin-migrations-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function write(file: string, text: string): void {
  writeFileSync(join(folder, file), text);
}

test('the project has migrations without a gap', () => {
  const migrations = loadMigrations();
  expect(migrations.map(({ version }) => version)).toEqual(migrations.map((_, i) => i + 1));
  expect(migrations.length).toBeGreaterThan(0);
});

test('a file is cut into its statements', () => {
  write('0001-first.sql', "CREATE TABLE a (x String DEFAULT 'a;b');\n\nCREATE TABLE b\n(\n  y UInt8\n);\n");
  expect(loadMigrations(folder)).toMatchObject([
    {
      version: 1,
      name: 'first',
      statements: ["CREATE TABLE a (x String DEFAULT 'a;b')", 'CREATE TABLE b\n(\n  y UInt8\n)'],
    },
  ]);
});

test('a missing number, a number twice and a name without number are refused', () => {
  write('0001-first.sql', 'SELECT 1;');
  write('0003-third.sql', 'SELECT 3;');
  expect(() => loadMigrations(folder)).toThrow(
    expect.objectContaining({ code: 'TOC_HISTORY_MIGRATION_GAP' }),
  );
  write('0002-second.sql', 'SELECT 2;');
  expect(loadMigrations(folder)).toHaveLength(3);
  write('0003-again.sql', 'SELECT 3;');
  expect(() => loadMigrations(folder)).toThrow(
    expect.objectContaining({ code: 'TOC_HISTORY_MIGRATION_GAP' }),
  );
  rmSync(join(folder, '0003-again.sql'));
  write('later.sql', 'SELECT 4;');
  expect(() => loadMigrations(folder)).toThrow(
    expect.objectContaining({ code: 'TOC_HISTORY_MIGRATION_GAP' }),
  );
});
