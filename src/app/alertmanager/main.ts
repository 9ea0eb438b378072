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
  const bad = flags['web.listen-address'].find((address) => parseListen(address) === null);
  if (bad !== undefined) return `--web.listen-address: expected host:port, got ${JSON.stringify(bad)}`;
  const external = flags['web.external-url'];
  if (external !== '' && !URL.canParse(external)) return `--web.external-url: ${external} is no URL`;
  return null;
}

function fail(message: string): void {
  console.error(`${program}: error: ${message}`);
  process.exitCode = 1;
}
