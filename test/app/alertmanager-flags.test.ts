import { describe, expect, test } from 'vitest';
import { parseFlags, renderHelp } from '../../src/app/alertmanager/flags.ts';
import { readGoDuration } from '../../src/app/alertmanager/go-duration.ts';

function flagsOf(...args: string[]) {
  const outcome = parseFlags(args);
  if (!outcome.ok) throw new Error(outcome.error);
  return outcome.flags;
}

function errorOf(...args: string[]): string {
  const outcome = parseFlags(args);
  return outcome.ok ? '' : outcome.error;
}

describe("Alertmanager's flags", () => {
  test('have its defaults', () => {
    expect(flagsOf()).toMatchObject({
      'config.file': 'alertmanager.yml',
      'storage.path': 'data/',
      'web.listen-address': [':9093'],
      'data.retention': 432_000_000,
      'log.level': 'info',
      help: false,
    });
  });

  test('take values after a space or an equals sign; some may be repeated', () => {
    const flags = flagsOf(
      '--config.file',
      'a.yml',
      '--storage.path=b',
      '--web.listen-address=:1',
      '--web.listen-address',
      ':2',
      '--cluster.listen-address=',
      '--alerts.gc-interval=1h30m',
    );
    expect(flags).toMatchObject({
      'config.file': 'a.yml',
      'storage.path': 'b',
      'web.listen-address': [':1', ':2'],
      'cluster.listen-address': '',
      'alerts.gc-interval': 5_400_000,
    });
  });

  test.each([
    [['--config.fil=x'], "unknown long flag '--config.fil', try --help"],
    [['-x'], "unknown short flag '-x', try --help"],
    [['stray'], 'unexpected stray, try --help'],
    [['--config.file'], "expected argument for flag '--config.file', try --help"],
    [['--data.retention=5d'], '--data.retention: invalid duration "5d", try --help'],
    [['--web.get-concurrency=x'], '--web.get-concurrency: "x" is no integer, try --help'],
    [['--log.level=loud'], '--log.level: must be one of debug, info, warn, error, got "loud", try --help'],
  ])('%j is refused', (args, error) => {
    expect(errorOf(...args)).toBe(error);
  });

  test('help names each of them', () => {
    const help = renderHelp('tocsin-alertmanager');
    for (const flag of ['--config.file', '--cluster.peer', '--web.route-prefix', '-h, --help']) {
      expect(help).toContain(flag);
    }
  });
});

test.each([
  ['1h30m', 5_400_000],
  ['1.5s', 1500],
  ['200ms', 200],
  ['-2m', -120_000],
  ['0', 0],
  ['1d', NaN],
  ['', NaN],
  ['5', NaN],
])("Go's duration %j is %d ms", (text, ms) => {
  expect(readGoDuration(text)).toBe(ms);
});
