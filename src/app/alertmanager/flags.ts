import { parseArgs } from 'node:util';
import { readGoDuration } from './go-duration.ts';

type FlagKind = 'string' | 'optional' | 'strings' | 'switch' | 'duration' | 'integer';

interface Flag {
  readonly kind: FlagKind;
  readonly fallback?: string;
  readonly oneOf?: readonly string[];
  readonly help: string;
}

const noNeed = 'Has no effect: what it tunes works in another way (one peer leads, the others copy its log).';

/** Alertmanager's flags (cmd/alertmanager/main.go) with its defaults. */
const flags = {
  'config.file': { kind: 'string', fallback: 'alertmanager.yml', help: 'Alertmanager configuration file.' },
  'storage.path': { kind: 'string', fallback: 'data/', help: 'Base path for data storage.' },
  'data.retention': { kind: 'duration', fallback: '120h', help: 'How long expired silences are kept.' },
  'data.maintenance-interval': {
    kind: 'duration',
    fallback: '15m',
    help: 'Has no effect: everything is durable at once.',
  },
  'alerts.gc-interval': { kind: 'duration', fallback: '30m', help: 'How long resolved alerts are kept.' },
  'web.listen-address': {
    kind: 'strings',
    fallback: ':9093',
    help: 'Address of the web interface and the API. Repeatable.',
  },
  'web.config.file': { kind: 'string', fallback: '', help: 'Not built yet: TLS and authentication.' },
  'web.external-url': {
    kind: 'string',
    fallback: '',
    help: 'The URL under which this is reached from outside.',
  },
  'web.route-prefix': {
    kind: 'string',
    fallback: '',
    help: 'Prefix of all paths. Defaults to the path of --web.external-url.',
  },
  'web.get-concurrency': {
    kind: 'integer',
    fallback: '0',
    help: 'GET requests served at once; 0 or less: the number of CPUs or 8, whichever is larger.',
  },
  'web.timeout': { kind: 'duration', fallback: '0', help: 'Timeout of HTTP requests; 0 or less: none.' },
  'cluster.listen-address': {
    kind: 'optional',
    help: 'Where peers reach this process, 0.0.0.0:9094 when only --cluster.peer is given. Empty says that there is no cluster.',
  },
  'cluster.advertise-address': {
    kind: 'string',
    fallback: '',
    help: 'What peers are told to reach this process at.',
  },
  'cluster.peer': {
    kind: 'strings',
    help: 'Address of a peer; the others are learned from it. Repeatable.',
  },
  'cluster.peer-timeout': { kind: 'duration', fallback: '15s', help: noNeed },
  'cluster.peer-name': { kind: 'string', fallback: '', help: noNeed },
  'cluster.peers-resolve-timeout': { kind: 'duration', fallback: '15s', help: noNeed },
  'cluster.gossip-interval': { kind: 'duration', fallback: '200ms', help: noNeed },
  'cluster.pushpull-interval': { kind: 'duration', fallback: '1m', help: noNeed },
  'cluster.tcp-timeout': { kind: 'duration', fallback: '10s', help: noNeed },
  'cluster.probe-timeout': { kind: 'duration', fallback: '500ms', help: noNeed },
  'cluster.probe-interval': { kind: 'duration', fallback: '1s', help: noNeed },
  'cluster.settle-timeout': { kind: 'duration', fallback: '1m', help: noNeed },
  'cluster.reconnect-interval': { kind: 'duration', fallback: '10s', help: noNeed },
  'cluster.reconnect-timeout': { kind: 'duration', fallback: '6h', help: noNeed },
  'cluster.tls-config': { kind: 'string', fallback: '', help: 'Not built yet: TLS between peers.' },
  'cluster.label': { kind: 'string', fallback: '', help: noNeed },
  'cluster.allow-insecure-public-advertise-address-discovery': {
    kind: 'switch',
    help: noNeed,
  },
  'log.level': {
    kind: 'string',
    fallback: 'info',
    oneOf: ['debug', 'info', 'warn', 'error'],
    help: 'Only messages of this severity or above. One of: debug, info, warn, error',
  },
  'log.format': {
    kind: 'string',
    fallback: 'logfmt',
    oneOf: ['logfmt', 'json'],
    help: 'Format of messages. One of: logfmt, json',
  },
  version: { kind: 'switch', help: 'Show the version.' },
  help: { kind: 'switch', help: 'Show this help.' },
} as const satisfies Record<string, Flag>;

type FlagName = keyof typeof flags;
type ValueOf<Kind extends FlagKind> = Kind extends 'strings'
  ? readonly string[]
  : Kind extends 'switch'
    ? boolean
    : Kind extends 'optional'
      ? string | undefined
      : Kind extends 'duration' | 'integer'
        ? number
        : string;

/** Durations in milliseconds. */
export type Flags = { readonly [Name in FlagName]: ValueOf<(typeof flags)[Name]['kind']> };

export type FlagsOutcome =
  | { readonly ok: true; readonly flags: Flags }
  | { readonly ok: false; readonly error: string };

/** Reads the command line as Alertmanager does (kingpin): `--flag=value` or `--flag value`; a later one of the same name counts. */
export function parseFlags(args: readonly string[]): FlagsOutcome {
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      Object.entries(flags).map(([name, { kind }]) => [
        name,
        { type: kind === 'switch' ? 'boolean' : 'string', ...(name === 'help' ? { short: 'h' } : {}) },
      ]),
    ),
    strict: false,
    tokens: true,
  });
  const given = new Map<string, string[]>();
  for (const token of tokens) {
    if (token.kind === 'positional') return failed(`unexpected ${token.value}, try --help`);
    if (token.kind !== 'option') continue;
    const { name, rawName, value } = token;
    if (!Object.hasOwn(flags, name)) {
      const what = rawName.startsWith('--') ? 'long' : 'short';
      return failed(`unknown ${what} flag '${rawName}', try --help`);
    }
    const { kind } = flags[name as FlagName];
    if (kind === 'switch' && value !== undefined) return failed(`unexpected ${value}, try --help`);
    if (kind !== 'switch' && value === undefined)
      return failed(`expected argument for flag '${rawName}', try --help`);
    given.set(name, [...(kind === 'strings' ? (given.get(name) ?? []) : []), value ?? 'true']);
  }
  const values: Record<string, unknown> = {};
  for (const [name, flag] of Object.entries(flags) as [FlagName, Flag][]) {
    const outcome = readValue(flag, given.get(name) ?? (flag.fallback === undefined ? [] : [flag.fallback]));
    if ('error' in outcome) return failed(`--${name}: ${outcome.error}, try --help`);
    values[name] = outcome.value;
  }
  return { ok: true, flags: values as Flags };
}

/** All flags, for `--help`. */
export function renderHelp(program: string): string {
  const lines = (Object.entries(flags) as [FlagName, Flag][]).flatMap(([name, { kind, fallback, help }]) => {
    const value = kind === 'switch' ? '' : `=${fallback === '' || fallback === undefined ? '""' : fallback}`;
    return [
      `  ${name === 'help' ? '-h, ' : '    '}--${name}${value}${kind === 'strings' ? ' ...' : ''}`,
      `        ${help}`,
    ];
  });
  return [`usage: ${program} [<flags>]`, '', 'Flags:', ...lines].join('\n');
}

function readValue({ kind, oneOf }: Flag, given: readonly string[]): { value: unknown } | { error: string } {
  const last = given.at(-1) ?? '';
  switch (kind) {
    case 'strings':
      return { value: given };
    case 'optional':
      return { value: given.at(-1) };
    case 'switch':
      return { value: given.length > 0 };
    case 'integer':
      return /^[+-]?\d{1,15}$/.test(last)
        ? { value: Number(last) }
        : { error: `${JSON.stringify(last)} is no integer` };
    case 'duration': {
      const ms = readGoDuration(last);
      return Number.isNaN(ms) ? { error: `invalid duration ${JSON.stringify(last)}` } : { value: ms };
    }
    case 'string':
    default:
      return oneOf && !oneOf.includes(last)
        ? { error: `must be one of ${oneOf.join(', ')}, got ${JSON.stringify(last)}` }
        : { value: last };
  }
}

function failed(error: string): FlagsOutcome {
  return { ok: false, error };
}
