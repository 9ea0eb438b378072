import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { labelsToObject } from '../../src/alert/index.ts';
import type { Command, LogEntry, NotifyEffect } from '../../src/incident/index.ts';
import { runWithCrashes, runWithCuts } from '../support/fold.ts';
import { ClockModel, type ModelPage, type ModelRoute } from './clock-model.ts';
import { alertOf, configEntry, createBench, shownPage, startMs, type Report } from './scene.ts';

const config = {
  route: {
    receiver: 'web',
    group_by: ['alertname'],
    group_wait: '10s',
    group_interval: '30s',
    repeat_interval: '100s',
    routes: [
      {
        receiver: 'audit',
        matchers: ['team="db"'],
        continue: true,
        group_by: ['team'],
        group_wait: '0s',
        group_interval: '20s',
        repeat_interval: '60s',
      },
      {
        receiver: 'phone',
        match_re: { severity: 'page|critical' },
        group_by: ['...'],
        group_wait: '5s',
        repeat_interval: '50s',
      },
    ],
  },
  receivers: [
    { name: 'web' },
    { name: 'audit', console_configs: [{ send_resolved: false }] },
    { name: 'phone', console_configs: [{ send_resolved: true }, { send_resolved: false }] },
  ],
};

const web: ModelRoute = {
  receiver: 'web',
  integrations: [{ name: '', sendResolved: true }],
  waitMs: 10_000,
  intervalMs: 30_000,
  repeatMs: 100_000,
  keyOf: ({ alertname }) => `{}:{alertname="${alertname}"}`,
};
const audit: ModelRoute = {
  receiver: 'audit',
  integrations: [{ name: 'console[0]', sendResolved: false }],
  waitMs: 0,
  intervalMs: 20_000,
  repeatMs: 60_000,
  keyOf: () => '{}/{team="db"}:{team="db"}',
};
const phone: ModelRoute = {
  receiver: 'phone',
  integrations: [
    { name: 'console[0]', sendResolved: true },
    { name: 'console[1]', sendResolved: false },
  ],
  waitMs: 5000,
  intervalMs: 30_000,
  repeatMs: 50_000,
  keyOf: (labels) => {
    const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
    return `{}/{severity=~"page|critical"}:{${pairs.toSorted().join(', ')}}`;
  },
};

function routesOf({ team, severity }: Report): ModelRoute[] {
  const isDb = team === 'db';
  const isUrgent = severity === 'page' || severity === 'critical';
  if (isDb) return isUrgent ? [audit, phone] : [audit];
  return isUrgent ? [phone] : [web];
}

type Event =
  | { readonly kind: 'alerts'; readonly acts: readonly Act[] }
  | { readonly kind: 'toggle'; readonly instance: string }
  | { readonly kind: 'fail' | 'done'; readonly pick: number }
  | { readonly kind: 'tick' };

interface Act {
  readonly labels: Report;
  readonly isResolve: boolean;
  readonly ageMs: number;
  readonly note: string;
}

/** Few enough that alerts resolve, return and share groups often. */
const labelsArbitrary: fc.Arbitrary<Report> = fc.constantFrom<Report[]>(
  { alertname: 'A', instance: '1' },
  { alertname: 'A', instance: '2' },
  { alertname: 'A', instance: '3' },
  { alertname: 'A', instance: '1', severity: 'page' },
  { alertname: 'B', instance: '1', team: 'db' },
  { alertname: 'B', instance: '2', team: 'db' },
  { alertname: 'B', instance: '3', team: 'db', severity: 'critical' },
);

const eventArbitrary: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('alerts' as const),
      acts: fc.array(
        fc.record({
          labels: labelsArbitrary,
          isResolve: fc.boolean(),
          ageMs: fc.constantFrom(0, 0, 4000, 9000, 60_000),
          note: fc.constantFrom('', '', 'other'),
        }),
        { minLength: 1, maxLength: 4 },
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('toggle' as const), instance: fc.constantFrom('1', '2') }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('fail' as const, 'done' as const), pick: fc.nat(5) }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'tick' as const }) },
);

const eventsArbitrary = fc.array(
  fc.record({
    gapMs: fc.constantFrom(0, 1000, 4000, 5000, 11_000, 20_000, 33_000, 70_000, 150_000, 400_000),
    event: eventArbitrary,
  }),
  { minLength: 1, maxLength: 40, size: 'max' },
);

/** Tells the same events to the fold and to the model, and gives what both have sent, and the log. */
async function tellBoth(
  steps: readonly { readonly gapMs: number; readonly event: Event }[],
): Promise<{ sent: unknown[]; expected: unknown[]; log: LogEntry[] }> {
  const { fold } = createBench();
  fold.restore(null);
  const log: LogEntry[] = [];
  const effects: NotifyEffect[] = [];
  const muted = new Map<string, string>();
  const settled = new Set<ModelPage>();
  const model = new ClockModel(routesOf, ({ instance = '' }) => muted.has(instance));

  const apply = async (entry: LogEntry): Promise<void> => {
    model.advance(entry.timeMs);
    const output = await fold.apply({ firstPosition: fold.position + 1, entries: [entry] });
    log.push(entry);
    // One without alerts only takes a page back that waits: nobody is told of anything.
    effects.push(...(output.effects as NotifyEffect[]).filter(({ payload }) => payload.alerts.length > 0));
    for (const { flow } of output.frames) {
      for (const { change, alert } of flow.alertChanges) {
        if (change === 'repeated' || change === 'ignored') continue;
        const labels = labelsToObject(alert.labels);
        model.insert(alert.fingerprint, labels, alert.startsAtMs, change !== 'resolved', entry.timeMs);
      }
    }
  };

  let timeMs = startMs;
  await apply(configEntry(config, timeMs));
  for (const [index, { gapMs, event }] of steps.entries()) {
    timeMs += gapMs;
    if (event.kind === 'alerts') {
      const payload = event.acts.map(({ labels, ...act }) => alertOf(labels, timeMs, act));
      await apply({ kind: 'alerts', timeMs, payload });
    } else if (event.kind === 'toggle') {
      model.advance(timeMs);
      const payload = toggle(event.instance, muted, timeMs, index);
      model.unmuted();
      await apply({ kind: 'command', timeMs, payload });
    } else if (event.kind === 'tick') await apply({ kind: 'tick', timeMs, payload: null });
    else {
      model.advance(timeMs);
      await apply({ kind: 'tick', timeMs, payload: null });
      const open = model.pages.filter((page) => !settled.has(page) && model.isLast(page));
      const page = open[event.pick % Math.max(open.length, 1)];
      const effect =
        page &&
        // The last one: an end and a new begin may be told within one millisecond.
        effects.findLast(
          ({ payload }) =>
            `${payload.receiver} ${payload.groupKey}` === page.name &&
            (payload.integration ?? '') === page.page.integration &&
            payload.atMs === page.page.atMs,
        );
      if (!effect) continue;
      settled.add(page);
      const outcome =
        event.kind === 'fail'
          ? ({ status: 'failed', code: 'TOC_NOTIFY_FAILED', message: '' } as const)
          : ({ status: 'done', result: null } as const);
      if (event.kind === 'fail') model.fail(page, timeMs);
      await apply({ kind: 'fact', timeMs, payload: { effectId: effect.id, kind: 'notify', outcome } });
    }
  }
  await apply({ kind: 'tick', timeMs: timeMs + 600_000, payload: null });
  return {
    sent: effects
      .map(shownPage)
      .map((page) => JSON.stringify(page))
      .toSorted(),
    expected: model.pages.map(({ page }) => JSON.stringify(page)).toSorted(),
    log,
  };
}

/** Silences an instance, or expires its silence. */
function toggle(instance: string, muted: Map<string, string>, timeMs: number, index: number): Command {
  const active = muted.get(instance);
  const command = { id: `command-${index}`, by: 'alex' };
  if (active !== undefined) {
    muted.delete(instance);
    return { ...command, kind: 'silence.expire', body: { silenceId: active } };
  }
  const id = `silence-${index}`;
  muted.set(instance, id);
  const matchers = [{ name: 'instance', value: instance, isRegex: false, isEqual: true }];
  const endsAtMs = timeMs + 30 * 86_400_000;
  return {
    ...command,
    kind: 'silence.set',
    body: { id, matchers, startsAtMs: timeMs, endsAtMs, createdBy: '', comment: '' },
  };
}

describe("Alertmanager's three clocks", () => {
  test('pages leave exactly when a plain model of them says so, and tell the same', async () => {
    await fc.assert(
      fc.asyncProperty(eventsArbitrary, async (steps) => {
        const { sent, expected } = await tellBoth(steps);
        expect(sent).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  test('batch cuts do not matter', async () => {
    await fc.assert(
      fc.asyncProperty(
        eventsArbitrary,
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 10 }),
        async (steps, sizes) => {
          const { log } = await tellBoth(steps);
          const create = () => createBench().fold;
          expect(await runWithCuts(create, log, sizes)).toEqual(await runWithCuts(create, log));
        },
      ),
      { numRuns: 60 },
    );
  });

  test('crash anywhere and replay from the checkpoint gives the same', async () => {
    await fc.assert(
      fc.asyncProperty(
        eventsArbitrary,
        fc.array(fc.record({ checkpointAt: fc.nat(40), crashAt: fc.nat(40) }), {
          minLength: 1,
          maxLength: 3,
        }),
        async (steps, points) => {
          const { log } = await tellBoth(steps);
          const create = () => createBench().fold;
          expect(await runWithCrashes(create, log, points)).toEqual(await runWithCuts(create, log));
        },
      ),
      { numRuns: 60 },
    );
  });
});
