import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseConfig } from '../../src/app/config.ts';
import { createPipeline } from '../../src/app/pipeline.ts';
import { readRecording } from '../../src/app/recording.ts';
import { Replay } from '../../src/app/replay.ts';
import { createConfigPayload } from '../../src/app/scorer.ts';
import { HistoryWriter, openHistory } from '../../src/history/index.ts';
import { createInlineScorer } from '../../src/score/index.ts';

const tocsin = new URL('../../bin/tocsin.js', import.meta.url).pathname;
let folder: string;

const startMs = Date.parse('2026-01-05T09:00:00Z');
const at = (seconds: number): string => new Date(startMs + seconds * 1000).toISOString();
const line = (seconds: number, labels: Record<string, string>, annotations = {}): string =>
  JSON.stringify({
    labels,
    annotations,
    startsAt: at(Math.min(seconds, 60)),
    endsAt: at(seconds + 300),
    receivedAt: at(seconds),
  });

const database = { alertname: 'DatabaseDown', service: 'db', severity: 'critical', team: 'data' };
const wiki = { alertname: 'WikiSlow', service: 'wiki', severity: 'warning', team: 'office' };
/** Both fire, and are repeated each minute for ten minutes. */
const alerts = Array.from({ length: 10 }, (_, minute) => [
  line(minute * 60, database, { summary: 'the database is <down>' }),
  line(minute * 60 + 10, wiki),
]).flat();

const route = (more: string): string =>
  `route: { receiver: oncall, group_by: [alertname]${more} }\nreceivers: [{ name: oncall }, { name: quiet }]\n`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tocsin-backtest-'));
  await writeFile(join(folder, 'alerts.ndjson'), alerts.join('\n'));
  await writeFile(join(folder, 'old.yml'), route(''));
  await writeFile(
    join(folder, 'quiet.yml'),
    `${route('')}inhibit_rules: [{ source_matchers: ['alertname="WikiSlow"'], target_matchers: ['alertname="DatabaseDown"'] }]\n`,
  );
  await writeFile(
    join(folder, 'moved.yml'),
    route(', routes: [{ matchers: [\'service="wiki"\'], receiver: quiet }]'),
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function run(...args: string[]) {
  return spawnSync(process.execPath, [tocsin, 'backtest', ...args], { encoding: 'utf8', cwd: folder });
}

function compare(...args: string[]): Record<string, unknown> {
  const { stdout, stderr, status } = run(...args, '--json');
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return JSON.parse(stdout) as Record<string, unknown>;
}

test('the same configuration changes nothing', () => {
  const told = compare('--file', 'alerts.ndjson', '--config', 'old.yml', '--against', 'old.yml');
  expect(told).toMatchObject({
    alertCount: 20,
    lost: [],
    gained: [],
    agreement: { precision: 1, recall: 1, nmi: 1 },
    told: { both: 2, later: 0, earlier: 0 },
  });
  expect(told['before']).toEqual(told['after']);
});

test('an alert that would be told to somebody else is no page lost', () => {
  const told = compare('--file', 'alerts.ndjson', '--config', 'moved.yml', '--against', 'old.yml');
  expect(told).toMatchObject({ lost: [], gained: [] });
  expect(told['byReceiver']).toEqual(
    expect.arrayContaining([expect.objectContaining({ name: 'quiet', before: 0, lost: 0, gained: 0 })]),
  );
});

test('a page that is lost is named, by receiver and team and as urgent; the exit status says it on request', async () => {
  // The wiki fires at 9:00:10, so that the database, which groups wait 30 s for, is inhibited by then.
  const args = ['--file', 'alerts.ndjson', '--config', 'quiet.yml', '--against', 'old.yml'];
  const told = compare(...args);
  expect(told['lost']).toEqual([
    expect.objectContaining({
      page: expect.objectContaining({ receiver: 'oncall', teams: ['data'] }) as unknown,
      incidents: [expect.objectContaining({ title: expect.stringContaining('DatabaseDown') as unknown })],
    }),
  ]);
  expect(told['lostUrgent']).toEqual(told['lost']);
  expect(told['byTeam']).toEqual(
    expect.arrayContaining([expect.objectContaining({ name: 'data', after: 0, lost: 1 })]),
  );
  const { status, stdout } = run(...args, '--fail-on-lost', '--report', 'report.html');
  expect(status).toBe(1);
  expect(stdout).toContain('1 lost: of none of their alerts is anybody told any more');
  const report = await readFile(join(folder, 'report.html'), 'utf8');
  expect(report).toContain('<svg');
  expect(report).toContain('DatabaseDown');
  expect(report).not.toContain('<down>');
});

test('what the history holds of a time is folded again', async () => {
  const data = join(folder, 'data');
  const parsed = parseConfig(route(''));
  if (!parsed.ok) throw new Error('the configuration has mistakes');
  const { database: history, missing } = await openHistory({ path: join(data, 'history') });
  if (!history) throw new Error(missing);
  const writer = await HistoryWriter.open(history, {
    partition: '0',
    flushIntervalMs: 10,
    maxBatchRows: 1000,
    maxBufferedRows: 10_000,
    maxBufferedBytes: 10_000_000,
    onDropped: () => undefined,
    onRetry: () => undefined,
    onSpillFailure: () => undefined,
    onBacklog: () => undefined,
  });
  const pipeline = createPipeline({ scorer: createInlineScorer(), withHistory: true });
  const replay = new Replay(pipeline, {
    config: await createConfigPayload(parsed.config),
    wantsAssignments: false,
    settleMs: 3_600_000,
    onFrames: (frames) => {
      for (const { rows } of frames) writer.write(rows);
    },
  });
  const context = { resolveTimeoutMs: 300_000, defaultDomain: 'default', domainLabel: 'domain' };
  const quiet = { onBadLine: () => undefined, onProgress: () => undefined };
  const recording = await readRecording(join(folder, 'alerts.ndjson'), context, quiet);
  await replay.push(recording.alerts, recording.indices);
  await replay.finish();
  await writer.flushed();
  await writer.close(5000);
  await history.close();

  const between = ['--data', data, '--from', at(0), '--to', at(7200)];
  const { stdout, stderr, status } = run(
    '--config',
    'quiet.yml',
    '--against',
    'old.yml',
    ...between,
    '--json',
  );
  // Of those that change nothing the first and the last of each five minutes.
  expect(stderr).toBe('history: 20 reports, of which 12 say something new or are the last of a while\n');
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    alertCount: 12,
    before: { signals: 2 },
    lost: [{ page: { teams: ['data'] } }],
  });
  const none = run('--config', 'old.yml', '--data', data, '--from', at(7200), '--to', at(7300));
  expect(none.stderr).toContain('There are no alerts to fold.');
  expect(none.status).toBe(1);
});

test('without an input, or with a time that is none, it says what it expects', () => {
  expect(run('--config', 'old.yml').stderr).toContain('expected --file, or --from with a later --to');
  expect(run('--config', 'old.yml', '--from', 'yesterday').stderr).toContain('expected an RFC 3339 time');
});
