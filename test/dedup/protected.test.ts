import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dedupConfig } from '../../src/dedup/index.ts';
import { directionWords, scales } from '../../src/dedup/direction.ts';
import { maskTemplate } from '../../src/dedup/mask.ts';
import { hashTokens } from '../../src/dedup/tokens.ts';
import { alertOf, at, Scene, type Report } from './scene.ts';

const full: Report = {
  alertname: 'DiskFull',
  severity: 'warning',
  env: 'prod',
  environment: 'prod',
  region: 'eu-west-1',
  zone: 'eu-west-1a',
  datacenter: 'dub',
  site: 'dub-7',
  tenant: 'acme',
  tenant_id: '4711',
  customer: 'acme',
  customer_id: '4711',
  account: 'acme',
  account_id: '123456789012',
  project: 'shop',
  project_id: '99',
  cluster: 'blue',
  namespace: 'shop',
  service: 'checkout',
  job: 'node',
  host: 'a-1',
  hostname: 'a-1',
  instance: '10.0.0.1:9100',
  instance_id: 'i-0a1b2c3d4e5f67890',
  node: 'a-1',
  device: 'sda1',
  pod: 'checkout-7d9f8b6c5-x2x1z',
  ip: '10.0.0.1',
  replica: 'a',
  summary: 'Disk is filling and has 7 GB left',
};

async function how(first: Report, second: Report, config: unknown = {}): Promise<string> {
  const scene = new Scene();
  await scene.configure(config);
  await scene.fire(0, first);
  const [happened] = await scene.fire(1, second);
  return happened!.sightings[0]!.how;
}

describe('labels', () => {
  test.each(dedupConfig.parse({}).protected_labels)('%s is protected', async (label) => {
    expect(await how(full, { ...full, [label]: 'other' })).toBe('new');
    // Not even masking makes two of its values equal.
    expect(await how({ ...full, [label]: '10.0.0.7' }, { ...full, [label]: '10.0.0.8' })).toBe('new');
    const { [label]: _, ...without } = full;
    expect(await how(full, { ...without, summary: full.summary! })).toBe('new');
  });

  test('the domain is protected', async () => {
    const scene = new Scene();
    const other = alertOf({ ...full, ip: '10.0.0.2' }, at(0));
    const [happened] = await scene.send(0, [alertOf(full, at(0)), { ...other, domain: 'other' }]);
    expect(happened!.sightings.map(({ how }) => how)).toEqual(['new', 'new']);
    const [same] = await new Scene().send(0, [alertOf(full, at(0)), other]);
    expect(same!.sightings.map(({ how }) => how)).toEqual(['new', 'similar']);
    expect(await how(full, { ...full, pod: 'checkout-7d9f8b6c5-k8s9b', ofDomain: 'other' })).toBe('new');
  });

  test.each([
    ['pod', 'checkout-7d9f8b6c5-k8s9b'],
    ['ip', '10.0.0.2'],
    ['replica', 'b'],
    ['container_id', '3f4e5d6c7b8a'],
  ])('%s may differ', async (label, value) => {
    expect(await how(full, { ...full, [label]: value })).toBe('similar');
  });

  test('pods of different workloads are kept apart', async () => {
    expect(await how(full, { ...full, pod: 'payments-7d9f8b6c5-x2x1z' })).toBe('new');
    expect(await how({ ...full, pod: 'db-0' }, { ...full, pod: 'db-1' })).toBe('similar');
  });

  test('other labels must be equal after masking', async () => {
    expect(await how({ ...full, mountpoint: '/var' }, { ...full, mountpoint: '/data' })).toBe('new');
    expect(await how({ ...full, request_id: '10442' }, { ...full, request_id: '99871' })).toBe('similar');
    expect(await how({ ...full, code: '500' }, { ...full, code: '404' })).toBe('new');
  });

  test('split_by protects more of them', async () => {
    const other = { ...full, pod: 'checkout-7d9f8b6c5-k8s9b' };
    expect(await how(full, other, { split_by: ['pod'] })).toBe('new');
  });
});

describe('severity', () => {
  const open = { protected_labels: ['alertname'], varying_labels: ['severity'] };
  const words = ['none', 'info', 'warning', 'error', 'critical'];
  const reports = words.map((severity) => ({
    alertname: 'Slow',
    severity,
    summary: 'Checkout takes too long',
  }));
  const pairs = reports.flatMap((first, i) => reports.slice(i + 1).map((second) => [first, second] as const));

  test.each(pairs)('$severity never takes in what is more urgent, even unprotected', async (low, high) => {
    // The words `none` and `info` are one severity.
    if (low.severity === 'none' && high.severity === 'info') return;
    expect(await how(low, high, open)).toBe('new');
  });

  test('what is less urgent may join, when severity is not protected', async () => {
    const stems = { ...open, varying_labels: [] };
    const [, , warning, , critical] = reports;
    expect(await how(critical!, warning!, stems)).toBe('new');
    const scene = new Scene();
    await scene.configure({
      protected_labels: ['alertname'],
      varying_labels: ['level'],
      severity_label: 'level',
    });
    await scene.fire(0, { alertname: 'Slow', level: 'p1', summary: 'Checkout takes too long' });
    await scene.fire(1, { alertname: 'Slow', level: 'p3', summary: 'Checkout takes too long' });
    expect([...scene.dedup.signals()].map(({ severity }) => severity)).toContain('critical');
  });
});

describe('telling words', () => {
  const context = fc.array(
    fc.constantFrom('link', 'of', 'the', 'switch', 'has', 'gone', 'again', 'now', '17', 'is'),
    {
      minLength: 0,
      maxLength: 60,
    },
  );
  const pairs = [
    ['up', 'down'],
    ['high', 'low'],
    ['full', 'empty'],
    ['started', 'stopped'],
    ['above', 'below'],
    ['connected', 'disconnected'],
    ['entered', 'exited'],
    ['enabled', 'disabled'],
    ['healthy', 'unhealthy'],
    ['succeeded', 'failed'],
    ['reachable', 'unreachable'],
    ['increased', 'decreased'],
    ['positive', 'negative'],
    ['not', 'now'],
    ['>', '<'],
    ['↑', '↓'],
    ['🔴', '🟢'],
    ['-5', '5'],
    ['HTTP 500', 'HTTP 404'],
    ['web-1', 'web-2'],
    ['eu-west-1', 'eu-west-2'],
    ['p95', 'p99'],
    ['LinkUp', 'LinkDown'],
    ['UP', 'Down'],
  ] as const;

  test('texts that differ in one are never near-duplicates, however long they are', async () => {
    await fc.assert(
      fc.asyncProperty(
        context,
        context,
        fc.constantFrom(...pairs),
        fc.boolean(),
        async (head, tail, pair, isSwapped) => {
          const [one, two] = isSwapped ? pair.toReversed() : pair;
          const text = (word: string) => [...head, word, ...tail].join(' ');
          expect(
            await how(
              { alertname: 'Port', summary: text(one) },
              { alertname: 'Port', ip: '10.0.0.2', summary: text(two) },
            ),
          ).toBe('new');
        },
      ),
      { numRuns: 150 },
    );
  });

  const wordPairs = scales.flatMap((words) =>
    words.flatMap((one, i) => words.slice(i + 1).map((two) => [one, two] as const)),
  );
  const tellingOf = (text: string) => hashTokens(maskTemplate(text)).telling;

  test('any two words of one scale tell texts apart, in any case and next to any sign', () => {
    expect(wordPairs.length).toBeGreaterThan(1000);
    for (const write of [
      (word: string) => `the port is ${word}, says 10.0.0.1:9100`,
      (word: string) => `${word.toUpperCase()}: port 17`,
      (word: string) => `Port${word[0]!.toUpperCase()}${word.slice(1)}`,
      (word: string) => `state=${word};port=17`,
    ]) {
      const alike = wordPairs.filter(([one, two]) => tellingOf(write(one)) === tellingOf(write(two)));
      expect(alike).toEqual([]);
    }
  });

  test('of texts that differ only in words of the table none joins the other', async () => {
    const word = fc.constantFrom(...directionWords);
    await fc.assert(
      fc.asyncProperty(context, context, word, fc.option(word, { nil: '' }), async (head, tail, one, two) => {
        fc.pre(one !== two);
        const text = (word: string) => [...head, word, ...tail].join(' ');
        const first = { alertname: 'Port', summary: text(one) };
        const second = { alertname: 'Port', ip: '10.0.0.2', summary: text(two) };
        expect(await how(first, second)).toBe('new');
        expect(await how(second, first)).toBe('new');
      }),
      { numRuns: 150 },
    );
  });

  test('numbers that differ in their sign tell texts apart, and others do not', async () => {
    const amount = fc.oneof(
      fc.integer({ min: 1, max: 99_999 }).map(String),
      fc.float({ min: 1, max: 1000, noNaN: true }).map((value) => value.toFixed(2)),
    );
    const unit = fc.constantFrom('', ' %', ' °C', 'ms', ' GiB');
    const minus = fc.constantFrom('-', '\u2212');
    await fc.assert(
      fc.asyncProperty(context, amount, amount, unit, minus, async (head, one, two, unit, minus) => {
        const text = (number: string) => [...head, 'the offset is', `${number}${unit}`].join(' ');
        const report = (number: string) => ({ alertname: 'Offset', summary: text(number) });
        const other = (number: string) => ({ ...report(number), ip: '10.0.0.2' });
        expect(await how(report(one), other(`${minus}${one}`))).toBe('new');
        expect(await how(report(`${minus}${one}`), other(two))).toBe('new');
        expect(await how(report(one), { ...report(two), ip: '10.0.0.2' })).toBe('similar');
      }),
      { numRuns: 100 },
    );
  });

  test('each is one word in lower case, on one scale', () => {
    expect([...directionWords].filter((word) => !/^[a-z]+$/.test(word))).toEqual([]);
    expect(scales.flat()).toHaveLength(directionWords.size);
  });

  test('texts that differ in their order are kept apart too', async () => {
    expect(
      await how(
        { alertname: 'Port', summary: 'port went from up to down' },
        { alertname: 'Port', ip: '10.0.0.2', summary: 'port went from down to up' },
      ),
    ).toBe('new');
  });
});

test('a reload changes what may join from then on, open signals included', async () => {
  const scene = new Scene();
  const [one, two, three] = [1, 2, 3].map((n) => ({ ...full, ip: `10.0.0.${n}` }));
  await scene.fire(0, one!);
  expect((await scene.fire(0, two!))[0]!.sightings[0]!.how).toBe('similar');
  await scene.configure({ split_by: ['ip'] });
  expect((await scene.fire(0, three!))[0]!.sightings[0]!.how).toBe('new');
  expect([...scene.dedup.signals()].map(({ fingerprintCount }) => fingerprintCount)).toEqual([2, 1]);
});
