import { InvalidArgumentError, type Command } from 'commander';
import { mkdtemp, readFile, writeFile, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { parse, stringify } from 'yaml';
import { generateScenario, type Scenario } from '../../../bench/scenarios/generate.ts';
import { createDemoClock, type DemoClock } from '../demo/clock.ts';
import { readCursor, writeCursor, type DemoCursor } from '../demo/cursor.ts';
import { Responder } from '../demo/responder.ts';
import { outageAtMs, rates, stormAtMs, writeScript } from '../demo/script.ts';
import { startTarget } from '../demo/target.ts';
import { startInstance } from '../instance.ts';
import { createLogger } from '../logger.ts';

interface DemoOptions {
  readonly exit?: boolean;
  readonly data?: string;
  readonly port: number;
  readonly pageTo?: string;
}

export function addDemoCommand(program: Command): void {
  program
    .command('demo')
    .description('Show a bad morning from start to end, in less than a minute.')
    .option('--exit', 'end when the morning is over; otherwise the API stays up')
    .option('--data <folder>', 'where to keep everything; a demo that was killed goes on from there')
    .option('--port <port>', 'where the API answers; 0 takes a free one', parsePort, 9093)
    .option('--page-to <url>', 'send every page to this webhook too')
    .action(demo);
}

async function demo(options: DemoOptions): Promise<void> {
  const folder = options.data ?? (await mkdtemp(join(tmpdir(), 'tocsin-demo-')));
  await mkdir(folder, { recursive: true });
  const cursor = await readCursor(folder);
  const scenario = generateScenario({ seed: 7, startMs: stormAtMs, serviceCount: 40, reportCount: 40_000 });
  const clock = createDemoClock(
    cursor?.clockMs ?? outageAtMs - 120_000,
    cursor && cursor.clockMs > stormAtMs ? rates.storm : rates.outage,
  );
  const target = await startTarget();
  const configFile = join(folder, 'tocsin.yml');
  await writeFile(configFile, await demoConfig(scenario, target.url, options.pageTo));
  const say = (text: string): void => console.log(text);

  const instance = await startInstance({
    configFile,
    override: (file) => ({
      ...file,
      storage: { ...file.storage, path: join(folder, 'data') },
      server: { ...file.server, listen: `127.0.0.1:${options.port}` },
    }),
    clock,
    logger: createLogger('warn'),
    print: say,
  }).catch(async (error: unknown) => {
    await target.close();
    throw error;
  });
  try {
    await play(instance.url, { clock, cursor, folder, scenario, say });
    if (!options.exit) await stayUp(instance.url, say);
  } finally {
    // Whatever went wrong: an instance that runs on would keep the process.
    await instance.stop();
    await target.close();
  }
}

interface Play {
  readonly clock: DemoClock;
  readonly cursor: DemoCursor | null;
  readonly folder: string;
  readonly scenario: Scenario;
  readonly say: (text: string) => void;
}

/** Plays the morning from where it was left. */
async function play(url: string, { clock, cursor, folder, scenario, say }: Play): Promise<void> {
  say(
    cursor
      ? 'Tocsin goes on with the bad morning where it was.'
      : 'Tocsin demo: a bad morning, faster than life.',
  );
  say(`Everything is kept in ${folder}. The API answers at ${url}`);

  const script = writeScript({
    responder: new Responder(url, 'alex'),
    scenario,
    say,
    setRate: (rate) => clock.setRate(rate),
  });
  for (let step = cursor?.step ?? 0; step < script.length; step++) {
    const next = script[step]!;
    await clock.reach(next.atMs);
    await next.run();
    await writeCursor(folder, { step: step + 1, clockMs: clock.nowMs() });
  }
}

async function stayUp(url: string, say: (text: string) => void): Promise<void> {
  say(`\nThe API stays up at ${url}. Look around, and end with Ctrl-C:`);
  say(`  curl -s '${url}/api/v1/incidents?state=all'`);
  say(`  npx tocsin explain INC-1 --url ${url}`);
  say(`  amtool --alertmanager.url ${url} alert query`);
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
}

/** The demo's configuration with the scenario's catalog, this run's runbook target, and the webhook of `--page-to`. */
async function demoConfig(
  scenario: Scenario,
  targetUrl: string,
  pageTo: string | undefined,
): Promise<string> {
  const text = await readFile(new URL('../../../fixtures/demo/tocsin.yml', import.meta.url), 'utf8');
  const config = parse(text.replaceAll('http://127.0.0.1:9099', targetUrl)) as {
    receivers: Record<string, unknown>[];
  };
  if (pageTo !== undefined) config.receivers[0]!['webhook_configs'] = [{ url: pageTo }];
  return stringify({ ...config, services: scenario.services });
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new InvalidArgumentError('expected a port number');
  return port;
}
