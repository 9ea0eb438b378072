import { parseListen } from '../listen-address.ts';
import { openDoor } from '../door.ts';
import { version } from '../version.ts';
import { parseFlags, renderHelp, type Flags } from './flags.ts';

const program = 'tocsin-alertmanager';

await main(process.argv.slice(2));

/** Tocsin behind Alertmanager's command line, with its configuration, its defaults and its API. */
async function main(args: readonly string[]): Promise<void> {
  const outcome = parseFlags(args);
  if (!outcome.ok) {
    fail(outcome.error);
    return;
  }
  const { flags } = outcome;
  if (flags.help) console.log(renderHelp(program));
  else if (flags.version) console.log(`${program}, version ${version}`);
  else {
    const unsupported = unsupportedFlag(flags);
    if (unsupported === null) await start(flags);
    else fail(unsupported);
  }
}

/** Listens before anything heavy is loaded: whoever calls in the first half second waits instead of being refused. */
async function start(flags: Flags): Promise<void> {
  try {
    const door = await openDoor(flags['web.listen-address']);
    const { serve } = await import('./serve.ts');
    await serve(flags, door);
  } catch (error) {
    fail(error instanceof Error ? error.message : String(error));
  }
}

function unsupportedFlag(flags: Flags): string | null {
  if (flags['web.config.file'] !== '')
    return '--web.config.file is not built in Tocsin yet: let a proxy do TLS and authentication';
  if (flags['cluster.tls-config'] !== '')
    return '--cluster.tls-config is not built in Tocsin yet: keep peers in a network of their own';
  const { 'cluster.listen-address': own = '', 'cluster.advertise-address': advertised } = flags;
  const addresses = [
    ...flags['web.listen-address'].map((address) => ['web.listen-address', address] as const),
    ...flags['cluster.peer'].map((address) => ['cluster.peer', address] as const),
    ...(own === '' ? [] : [['cluster.listen-address', own] as const]),
    ...(advertised === '' ? [] : [['cluster.advertise-address', advertised] as const]),
  ];
  const bad = addresses.find(([, address]) => parseListen(address) === null);
  if (bad) return `--${bad[0]}: expected host:port, got ${JSON.stringify(bad[1])}`;
  const external = flags['web.external-url'];
  if (external !== '' && !URL.canParse(external)) return `--web.external-url: ${external} is no URL`;
  return null;
}

function fail(message: string): void {
  console.error(`${program}: error: ${message}`);
  process.exitCode = 1;
}
