import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dedupConfig } from '../../src/dedup/index.ts';
import { alertOf, at, changesOf, reasonsOf, Scene, type Happening, type Report } from './scene.ts';

const disk: Report = { alertname: 'DiskFull', severity: 'warning', host: 'db-1', summary: 'disk is full' };
const link: Report = { alertname: 'LinkDown', severity: 'warning', host: 'edge-9', summary: 'link is down' };

function hows(happened: readonly Happening[]): string[] {
  return happened.flatMap(({ sightings }) => sightings.map(({ how }) => how));
}

describe('a key that the sender gives', () => {
  test('makes one thing of alerts that have nothing else in common', async () => {
    const scene = new Scene();
    expect(hows(await scene.fire(0, { ...disk, ofKey: 'srv01/disk' }))).toEqual(['new']);
    const joined = await scene.fire(1, { ...link, ofKey: 'srv01/disk' });
    expect(hows(joined)).toEqual(['key']);
    expect(reasonsOf(joined)).toEqual(['key "srv01/disk" given by its sender']);
    expect([...scene.dedup.signals()]).toMatchObject([
      { key: 'srv01/disk', fingerprintCount: 2, firingCount: 2 },
    ]);
  });

  test('keeps alerts apart that are alike, and those without a key too', async () => {
    const scene = new Scene();
    const alike = ['one', 'two'].map((key, n) => ({ ...disk, ip: `10.0.0.${n}`, ofKey: key }));
    const plain = ['8', '9'].map((n) => ({ ...disk, ip: `10.0.0.${n}` }));
    expect(hows(await scene.fire(0, ...alike, ...plain))).toEqual(['new', 'new', 'new', 'similar']);
  });

  test('holds within a domain only', async () => {
    const scene = new Scene();
    const other = { ...disk, ofDomain: 'other', ofKey: 'k' };
    expect(hows(await scene.fire(0, { ...disk, ofKey: 'k' }, other))).toEqual(['new', 'new']);
  });

  test('reopens its signal within the window, and opens another one later', async () => {
    const scene = new Scene();
    await scene.configure({ flapping: { enabled: false } });
    await scene.fire(0, { ...disk, value: '90', ofKey: 'k' });
    await scene.resolve(1, { ...disk, value: '90', ofKey: 'k' });
    expect(changesOf(await scene.fire(3, { ...disk, value: '95', ofKey: 'k' }))).toEqual([
      'reopened',
      'grown',
    ]);
    await scene.resolve(4, { ...disk, value: '95', ofKey: 'k' });
    expect(changesOf(await scene.fire(20, { ...disk, value: '97', ofKey: 'k' }))).toEqual(['opened']);
  });

  test('does not hide that it has become worse', async () => {
    const scene = new Scene();
    await scene.fire(0, { ...disk, ofKey: 'k' });
    const worse = await scene.fire(1, { ...disk, severity: 'critical', ofKey: 'k' });
    expect(changesOf(worse)).toEqual(['escalated']);
    expect(reasonsOf(worse)).toEqual(['severity raised from warning to critical under one key']);
    expect([...scene.dedup.signals()]).toMatchObject([{ severity: 'critical', fingerprintCount: 2 }]);
    expect(changesOf(await scene.fire(2, { ...disk, severity: 'info', ofKey: 'k' }))).toEqual(['grown']);
  });

  test('ends all that fires under it, whatever the labels of the resolve', async () => {
    const scene = new Scene();
    await scene.fire(0, { ...disk, value: '90', ofKey: 'k' }, { ...disk, value: '95', ofKey: 'k' });
    await scene.fire(0, { ...disk, ofKey: 'another' });
    const over = await scene.resolve(1, { alertname: 'Recovery', ofKey: 'k' });
    expect(changesOf(over)).toEqual(['resolved']);
    expect([...scene.dedup.signals()]).toMatchObject([{ key: 'another', firingCount: 1 }]);
  });

  test('counts for nothing where the operator wants that', async () => {
    const scene = new Scene();
    await scene.configure({ caller_keys: false });
    const [one, two] = ['1', '2'].map((n) => ({ ...disk, ip: `10.0.0.${n}`, ofKey: n }));
    expect(hows(await scene.fire(0, one!, two!))).toEqual(['new', 'similar']);
  });
});

describe('a key rule', () => {
  const keys = [
    { name: 'per-check', matchers: ['team="net"'], key: '{site}/{check}' },
    { name: 'per-host', key: 'host {host}' },
  ];
  const net: Report = { alertname: 'Ping', team: 'net', site: 'ber', check: 'icmp', host: 'a' };

  test('gives the key where the sender gave none', async () => {
    const scene = new Scene();
    await scene.configure({ keys });
    const opened = await scene.fire(
      0,
      net,
      { ...net, alertname: 'Pong', host: 'b' },
      { ...net, check: 'snmp' },
    );
    expect(hows(opened)).toEqual(['new', 'key', 'new']);
    expect(reasonsOf(opened)[0]).toBe('key "ber/icmp" by the rule per-check');
    expect(hows(await scene.fire(1, { ...net, host: 'c', ofKey: 'own' }))).toEqual(['new']);
  });

  test('that lacks a label says so, and the next one is asked', async () => {
    const scene = new Scene();
    await scene.configure({ keys });
    const { check: _, ...unchecked } = net;
    const opened = await scene.fire(0, unchecked);
    expect(reasonsOf(opened)).toEqual([
      'the rule per-check gives no key: the label check is missing',
      'key "host a" by the rule per-host',
    ]);
  });

  test('never makes one thing of alerts that have none of its labels', async () => {
    const scene = new Scene();
    await scene.configure({ keys: [{ name: 'per-host', key: '{host}/{rack}' }] });
    const bare = (name: string): Report => ({ alertname: name, summary: `${name} is wrong` });
    const opened = await scene.fire(0, bare('Cron'), bare('Mail'), bare('Disk'));
    expect(hows(opened)).toEqual(['new', 'new', 'new']);
    expect(new Set(reasonsOf(opened))).toEqual(
      new Set(['the rule per-host gives no key: the labels host, rack are missing']),
    );
    expect(scene.dedup.keyOf(alertOf(bare('Cron'), at(1)))).toMatchObject({
      key: null,
      reasons: [{ code: 'key_missing' }],
    });
  });

  test('two alerts are one thing exactly when all its labels are equal', async () => {
    const value = fc.constantFrom('', 'a', 'b', 'a/b', '/', 'a/');
    await fc.assert(
      fc.asyncProperty(value, value, value, value, async (a, b, c, d) => {
        const scene = new Scene();
        await scene.configure({ near_duplicates: false, keys: [{ name: 'pair', key: '{x}/{y}' }] });
        const report = (x: string, y: string, n: string): Report => ({ alertname: n, x, y });
        const [, second] = hows(await scene.fire(0, report(a, b, 'one'), report(c, d, 'two')));
        const isOne = a === c && b === d && a !== '' && b !== '';
        expect(second).toBe(isOne ? 'key' : 'new');
      }),
    );
  });

  test.each([['{host'], ['host}'], ['{}'], ['{a}{'], ['{a{b}}'], ['all'], ['']])(
    '%j is refused when the configuration is read',
    (key) => {
      expect(dedupConfig.safeParse({ keys: [{ name: 'bad', key }] }).success).toBe(false);
    },
  );

  test('changes with a reload, for what fires from then on', async () => {
    const scene = new Scene();
    await scene.fire(0, net);
    await scene.configure({ keys });
    expect(hows(await scene.fire(1, { ...net, host: 'b' }))).toEqual(['new']);
    expect(hows(await scene.fire(2, { ...net, host: 'c' }))).toEqual(['key']);
  });
});
