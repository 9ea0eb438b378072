import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { labelsToObject } from '../../src/alert/index.ts';
import type { LogEntry, SilenceBody, Verdict } from '../../src/incident/index.ts';
import type { MuteStage } from '../../src/mute/index.ts';
import { runWithCrashes, runWithCuts } from '../support/fold.ts';
import { alertOf, configEntry, createBench, matcherOf, startMs, type Report } from './scene.ts';

/** A rule in the words of the plain model: `name=value` or `name!=value` on each side. */
interface PlainRule {
  readonly source: readonly string[];
  readonly target: readonly string[];
  readonly equal: readonly string[];
}

const reportArbitrary: fc.Arbitrary<Report> = fc.record(
  {
    alertname: fc.constantFrom('A', 'B', 'C'),
    severity: fc.constantFrom('critical', 'error', 'warning'),
    zone: fc.constantFrom('x', 'y'),
    domain: fc.constantFrom('default', 'acme'),
  },
  { requiredKeys: ['alertname', 'severity'] },
);

const matcherArbitrary = fc.constantFrom(
  'alertname=A',
  'alertname=B',
  'alertname!=C',
  'severity=critical',
  'severity!=warning',
  'zone=x',
  'zone!=y',
  'zone=',
);
const sideArbitrary = fc.uniqueArray(matcherArbitrary, { minLength: 1, maxLength: 2 });

const ruleArbitrary: fc.Arbitrary<PlainRule> = fc.record({
  source: sideArbitrary,
  target: sideArbitrary,
  equal: fc.uniqueArray(fc.constantFrom('zone', 'alertname', 'severity'), { maxLength: 2 }),
});

const silenceIdArbitrary = fc.constantFrom('s1', 's2', 's3', 'c4', 'c7');

type Event =
  | { readonly kind: 'alerts'; readonly reports: readonly (readonly [Report, boolean])[] }
  | {
      readonly kind: 'set';
      readonly id: string;
      readonly matchers: readonly string[];
      readonly from: number;
      readonly lasts: number;
    }
  | { readonly kind: 'expire'; readonly id: string }
  | { readonly kind: 'config'; readonly rules: readonly PlainRule[] }
  | { readonly kind: 'tick' };

const eventArbitrary: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('alerts' as const),
      reports: fc.array(fc.tuple(reportArbitrary, fc.boolean()), { minLength: 1, maxLength: 5 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('set' as const),
      id: silenceIdArbitrary,
      matchers: sideArbitrary,
      from: fc.integer({ min: -5, max: 30 }),
      lasts: fc.integer({ min: 0, max: 60 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('expire' as const), id: silenceIdArbitrary }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('config' as const),
      rules: fc.array(ruleArbitrary, { maxLength: 3 }),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'tick' as const }) },
);

const logArbitrary = fc
  .array(
    fc.record({
      gapMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 40_000 }), fc.constant(4_000_000)),
      event: eventArbitrary,
    }),
    { minLength: 1, maxLength: 40, size: 'max' },
  )
  .map((steps) => {
    let timeMs = startMs;
    return steps.map(({ gapMs, event }, index) => {
      timeMs += gapMs;
      return { entry: entryOf(event, timeMs, index), event };
    });
  });

function entryOf(event: Event, timeMs: number, index: number): LogEntry {
  const command = { id: `c${index}`, by: 'alex' };
  switch (event.kind) {
    case 'alerts':
      return {
        kind: 'alerts',
        timeMs,
        payload: event.reports.map(([report, isResolve]) => alertOf(report, timeMs, isResolve)),
      };
    case 'set': {
      const startsAtMs = timeMs + event.from * 1000;
      const body: SilenceBody = {
        id: event.id,
        matchers: event.matchers.map(matcherOf),
        startsAtMs,
        endsAtMs: startsAtMs + event.lasts * 1000,
        createdBy: '',
        comment: '',
      };
      return { kind: 'command', timeMs, payload: { ...command, kind: 'silence.set', body } };
    }
    case 'expire':
      return {
        kind: 'command',
        timeMs,
        payload: { ...command, kind: 'silence.expire', body: { silenceId: event.id } },
      };
    case 'config':
      return configEntry(
        event.rules.map(({ source, target, equal }) => ({
          source_matchers: source.map(quoted),
          target_matchers: target.map(quoted),
          equal,
        })),
        { silence_retention: '1h' },
        timeMs,
      );
    case 'tick':
    default:
      return { kind: 'tick', timeMs, payload: null };
  }
}

function quoted(matcher: string): string {
  return matcher.replace('=', '="').concat('"');
}

/** Whether the labels match all, read off the page. */
function matches(matchers: readonly string[], labels: Report): boolean {
  return matchers.every((text) => {
    const { name, value, isEqual } = matcherOf(text);
    return ((labels[name] ?? '') === value) === isEqual;
  });
}

/** Alertmanager's `Inhibitor.Mutes`, as it stands there: the sources that each rule may name. */
function inhibitingSources(
  target: Report,
  firing: readonly Report[],
  rules: readonly PlainRule[],
): Report[][] {
  return rules.flatMap((rule) => {
    if (!matches(rule.target, target)) return [];
    const excludesTwoSided = matches(rule.source, target);
    const sources = firing.filter(
      (source) =>
        matches(rule.source, source) &&
        (source['domain'] ?? 'default') === (target['domain'] ?? 'default') &&
        rule.equal.every((name) => (source[name] ?? '') === (target[name] ?? '')) &&
        !(excludesTwoSided && matches(rule.target, source)),
    );
    return sources.length > 0 ? [sources] : [];
  });
}

test('verdicts are those of a plain model after every entry, and travel completely as changes', async () => {
  await fc.assert(
    fc.asyncProperty(logArbitrary, async (log) => {
      const { fold, mute } = createBench();
      fold.restore(null);
      const firing = new Map<string, Report>();
      const told = new Map<string, Verdict>();
      let rules: readonly PlainRule[] = [];
      for (const [index, { entry, event }] of log.entries()) {
        if (event.kind === 'config') rules = event.rules;
        const { frames } = await fold.apply({ firstPosition: index + 1, entries: [entry] });
        for (const { flow } of frames) {
          for (const { change, alert } of flow.alertChanges) {
            if (change === 'fired') firing.set(alert.fingerprint, labelsToObject(alert.labels));
            if (change === 'resolved' || change === 'expired') firing.delete(alert.fingerprint);
          }
          for (const { fingerprint, verdict } of flow.verdictChanges) told.set(fingerprint, verdict);
        }
        for (const [fingerprint, labels] of firing) {
          const verdict = mute.verdict(fingerprint);
          expect(told.get(fingerprint)).toEqual(verdict);
          expectVerdict(verdict, labels, { mute, nowMs: entry.timeMs, firing: [...firing.values()], rules });
        }
      }
    }),
    { numRuns: 150 },
  );
});

function expectVerdict(
  verdict: Verdict,
  labels: Report,
  {
    mute,
    nowMs,
    firing,
    rules,
  }: { mute: MuteStage; nowMs: number; firing: readonly Report[]; rules: readonly PlainRule[] },
): void {
  const silencedBy = [...mute.silences()]
    .map(({ silence }) => silence)
    .filter(({ startsAtMs, endsAtMs }) => startsAtMs <= nowMs && nowMs < endsAtMs)
    .filter(({ matchers }) =>
      matchers.every(({ name, value, isEqual }) => ((labels[name] ?? '') === value) === isEqual),
    )
    .map(({ id }) => id)
    .toSorted();
  const sources = inhibitingSources(labels, firing, rules);
  expect(verdict.muted).toBe(silencedBy.length + sources.length > 0);
  if (!verdict.muted) return;
  expect(verdict.silencedBy).toEqual(silencedBy);
  const named = verdict.inhibitedBy;
  const namable = sources.map((list) => list.map((source) => alertOf(source, 0).fingerprint));
  expect(namable.every((list) => list.some((id) => named.includes(id)))).toBe(true);
  expect(named.every((id) => namable.some((list) => list.includes(id)))).toBe(true);
}

const createFold = () => createBench().fold;

test('batch cuts do not matter', async () => {
  await fc.assert(
    fc.asyncProperty(
      logArbitrary,
      fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 10 }),
      async (log, sizes) => {
        const entries = log.map(({ entry }) => entry);
        expect(await runWithCuts(createFold, entries, sizes)).toEqual(await runWithCuts(createFold, entries));
      },
    ),
    { numRuns: 60 },
  );
});

test('crash anywhere and replay from the checkpoint gives the same', async () => {
  await fc.assert(
    fc.asyncProperty(
      logArbitrary,
      fc.array(fc.record({ checkpointAt: fc.nat(40), crashAt: fc.nat(40) }), { minLength: 1, maxLength: 3 }),
      async (log, points) => {
        const entries = log.map(({ entry }) => entry);
        expect(await runWithCrashes(createFold, entries, points)).toEqual(
          await runWithCuts(createFold, entries),
        );
      },
    ),
    { numRuns: 60 },
  );
});
