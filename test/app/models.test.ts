import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openModel } from '../../src/score/index.ts';
import { createDice } from '../../models/quiet-weeks.ts';
import { startTocsin } from '../support/tocsin.ts';

const tocsin = new URL('../../bin/tocsin.js', import.meta.url).pathname;
let folder: string;
let trained: ReturnType<typeof run>;

function run(...args: string[]) {
  return spawnSync(process.execPath, [tocsin, ...args], { encoding: 'utf8', cwd: folder });
}

/** Eight days of six kinds that fire for two minutes about ten times a day. */
function recording(): string {
  const dice = createDice(3);
  const reports: (Readonly<Record<string, unknown>> & { readonly receivedAt: string })[] = [];
  const startMs = Date.UTC(2026, 0, 5);
  for (let timeMs = startMs; timeMs < startMs + 8 * 86_400_000; timeMs += 300_000) {
    for (let kind = 0; kind < 6; kind++) {
      if (dice.next() > 10 / 288) continue;
      const labels = {
        alertname: `Kind, ${kind}`,
        service: 'shop',
        severity: kind === 0 ? 'critical' : 'warning',
      };
      const startsAt = new Date(timeMs + 1000 * dice.between(0, 60)).toISOString();
      const endsAt = new Date(Date.parse(startsAt) + 120_000).toISOString();
      reports.push({ labels, startsAt, receivedAt: startsAt });
      reports.push({ labels, startsAt, endsAt, receivedAt: endsAt });
    }
  }
  reports.sort((a, b) => Date.parse(a.receivedAt) - Date.parse(b.receivedAt));
  return reports.map((report) => JSON.stringify(report)).join('\n');
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tocsin-models-'));
  writeFileSync(join(folder, 'alerts.ndjson'), recording());
  trained = run('train', '--from', 'alerts.ndjson', '--out', 'models/own');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('tocsin train', () => {
  test('writes a model of the alerts in a file, which fits this version, with what it was trained on', async () => {
    expect(trained.stderr).toBe('');
    expect(trained.status).toBe(0);
    const { model, manifest } = await openModel(join(folder, 'models/own'));
    expect(model).toMatchObject({ name: 'own', generated: false });
    expect(manifest).toMatchObject({ data: 'alerts.ndjson', data_kinds: 6 });
    expect(manifest.data_alerts).toBeGreaterThan(400);
    expect(trained.stdout).toContain('Measured on held-out data');
  });

  test('gives the same model again from the training data that it has written', () => {
    const again = run('train', '--from', 'models/own/training.csv', '--out', 'again/own');
    expect(again.status).toBe(0);
    for (const file of ['model.json', 'training.csv']) {
      expect(readFileSync(join(folder, 'again/own', file), 'utf8'), file).toBe(
        readFileSync(join(folder, 'models/own', file), 'utf8'),
      );
    }
  });

  test('refuses data that are too few or no data, and writes nothing', () => {
    writeFileSync(join(folder, 'few.ndjson'), recording().split('\n').slice(0, 40).join('\n'));
    const few = run('train', '--from', 'few.ndjson', '--out', 'models/few');
    expect(few.stderr).toMatch(/^TOC_TRAINING_TOO_SHORT: \d+ behaviours/);
    writeFileSync(join(folder, 'bad.csv'), 'period\n1\n');
    const bad = run('train', '--from', 'bad.csv', '--out', 'models/few');
    expect(bad.stderr).toMatch(/^TOC_TRAINING_UNREADABLE: .*bad.csv \(training data must begin with/);
    expect([few.status, bad.status]).toEqual([1, 1]);
    expect(existsSync(join(folder, 'models/few'))).toBe(false);
  });
});

describe('tocsin models', () => {
  test('list names what is there and what is refused, and validate says why', () => {
    cpSync(join(folder, 'models/own'), join(folder, 'models/broken'), { recursive: true });
    writeFileSync(join(folder, 'models/broken/model.json'), '{}');
    const list = run('models', 'list');
    expect(list.stdout).toMatch(/models\/own {2}[0-9a-f]{12} {2}\d+ clusters/);
    expect(list.stderr).toMatch(
      /TOC_MODEL_MISMATCH: the model in models\/broken is refused: model.json has SHA-256/,
    );
    expect(list.status).toBe(1);
    rmSync(join(folder, 'models/broken'), { recursive: true });
    expect(run('models', 'validate', 'models/own').stdout).toMatch(/fine/);
  });

  test('diff says in what two differ, and on alerts whom the second would page otherwise', () => {
    expect(run('models', 'diff', 'builtin', 'models/own').stdout).toMatch(/name: "alert-stream" -> "own"/);
    const other = run('models', 'diff', 'none', 'models/own', '--on', 'alerts.ndjson', '--json');
    const { pagesBefore, pagesAfter, gained, lost } = JSON.parse(other.stdout) as {
      readonly pagesBefore: number;
      readonly pagesAfter: number;
      readonly gained: readonly { readonly before: number; readonly after: number }[];
      readonly lost: readonly { readonly before: number; readonly after: number }[];
    };
    const difference = [...gained, ...lost].reduce((sum, { before, after }) => sum + after - before, 0);
    expect(pagesBefore + difference).toBe(pagesAfter);
    expect(pagesBefore).toBeGreaterThan(0);
  });

  test('activate and shadow change what a server has in force, over restarts, and a wrong model is refused', async () => {
    const serve = () => startTocsin('serve', '--data', join(folder, 'data'), '--listen', '127.0.0.1:0');
    const before = await serve();
    const { hash } = (await openModel(join(folder, 'models/own'))).model;
    const activated = run('models', 'activate', 'models/own', '--by', 'ann', '--url', before.url);
    expect(activated.stdout).toBe(`in force: own ${hash.slice(0, 12)}\n`);
    expect(run('models', 'shadow', 'builtin', '--url', before.url).stdout).toMatch(/alert-stream/);
    cpSync(join(folder, 'models/own'), join(folder, 'changed'), { recursive: true });
    writeFileSync(join(folder, 'changed/model.json'), '{}');
    const refused = run('models', 'activate', 'changed', '--url', before.url);
    expect(refused.stderr).toMatch(/TOC_API_REFUSED: 400: the model is refused: model.json has SHA-256/);
    before.child.kill('SIGKILL');
    await before.exited;
    const after = await serve();
    try {
      const { stdout } = run('models', 'status', '--url', after.url);
      expect(stdout).toMatch(new RegExp(`in force {3}own ${hash.slice(0, 12)}, chosen by ann at `));
      expect(stdout).toMatch(/beside it {2}alert-stream/);
      expect(stdout).toMatch(/drift {6}learning, 0 scored periods of the 500 needed/);
    } finally {
      after.child.kill('SIGTERM');
      await after.exited;
    }
  });
});
