import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { labelValue } from '../src/alert/index.ts';
import type { ScoreGrouping } from './grouping-score.ts';
import { alertAt, groupsOf, replayAlerts, type Replayed } from './replayed.ts';

interface Fault {
  readonly id: string;
  readonly svc: string;
  readonly type: string;
}

/** Who calls whom in OnlineBoutique, as its own documentation draws it. */
const shop: Readonly<Record<string, readonly string[]>> = {
  frontend: [
    'adservice',
    'recommendationservice',
    'productcatalogservice',
    'cartservice',
    'shippingservice',
    'currencyservice',
    'checkoutservice',
  ],
  checkoutservice: [
    'productcatalogservice',
    'cartservice',
    'shippingservice',
    'currencyservice',
    'paymentservice',
    'emailservice',
  ],
  recommendationservice: ['productcatalogservice'],
};

/** Measures a day of OnlineBoutique with injected faults: grouping by pairs, and whether the faulty service is the first probable cause. */
export async function measureNezha(
  folder: string,
  score: ScoreGrouping,
  wantsFaults: boolean,
): Promise<void> {
  const lines = readFileSync(join(folder, 'alerts.ndjson'), 'utf8').trim().split('\n');
  const truth = readFileSync(join(folder, 'truth.txt'), 'utf8').trim().split('\n');
  const faults = JSON.parse(readFileSync(join(folder, 'faults.json'), 'utf8')) as Fault[];
  const alerts = lines.map((line) => {
    const { labels, annotations, startsAt } = JSON.parse(line) as {
      labels: Record<string, string>;
      annotations: { summary: string };
      startsAt: string;
    };
    return alertAt(labels, annotations.summary, Date.parse(startsAt));
  });
  const names = [...new Set(alerts.map(({ labels }) => labelValue(labels, 'service')))];
  const services = names.map((name) => ({ name, tier: 2, depends_on: shop[name] ?? [] }));
  console.log(
    '\nNezha            pairwise P / R / F1 with noise   incidents   faulty service first   among three',
  );
  for (const [name, sections] of [
    ['without graph', {}],
    ['with graph', { services }],
  ] as const) {
    const replayed = await replayAlerts(alerts, sections);
    const { precisionWithNoise, recall, f1WithNoise } = score(truth, groupsOf(replayed));
    const { first, among } = causesOf(truth, faults, replayed, wantsFaults);
    console.log(
      `  ${name.padEnd(15)}${[precisionWithNoise, recall, f1WithNoise].map((value) => value.toFixed(3)).join(' / ')}` +
        `${String(replayed.incidents.size).padStart(24)}${`${first} of ${faults.length}`.padStart(20)}${`${among} of ${faults.length}`.padStart(15)}`,
    );
  }
}

/** Of each fault the incident counts that holds most of its alerts. */
function causesOf(
  truth: readonly string[],
  faults: readonly Fault[],
  { assignments, incidents }: Replayed,
  wantsFaults: boolean,
): { first: number; among: number } {
  let [first, among] = [0, 0];
  for (const { id, svc, type } of faults) {
    const counts = new Map<string, number>();
    for (const [i, label] of truth.entries()) {
      const incidentId = assignments[i]?.incidentId;
      if (label === id && incidentId != null) counts.set(incidentId, (counts.get(incidentId) ?? 0) + 1);
    }
    const [main] = [...counts].sort((a, b) => b[1] - a[1]);
    const causes = incidents.get(main?.[0] ?? '')?.probableCauses ?? [];
    const named = causes.map(({ labels }) => labelValue(labels, 'service'));
    if (named[0] === svc) first++;
    if (named.includes(svc)) among++;
    if (wantsFaults)
      console.log(
        `      ${id} ${svc} ${type}: ${main?.[0]} ${main?.[1]}, ${[...counts.values()].length} incidents, named ${named.join(', ')}`,
      );
  }
  return { first, among };
}
