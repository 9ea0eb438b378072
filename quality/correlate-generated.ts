import { fingerprint, labelsOf, labelValue, type Alert } from '../src/alert/index.ts';
import { servicesConfig } from '../src/incident/index.ts';
import { generateEstate, type Estate, type EstateReport } from '../bench/scenarios/estate.ts';
import { replayAlerts, type Replayed } from './replayed.ts';

const startMs = 1_767_571_200_000;
const sizes = [
  { serviceCount: 20, faultCount: 4 },
  { serviceCount: 100, faultCount: 9 },
  { serviceCount: 500, faultCount: 15 },
  { serviceCount: 2000, faultCount: 24 },
] as const;
const seeds = [1, 2, 3] as const;

/** Measures grouping and probable causes on generated systems, with and without their service graph. */
export async function measureGenerated(wantsFaults: boolean): Promise<void> {
  console.log('\ngenerated        services  faults   pairwise P / R / F1          cause first   among three');
  for (const withGraph of [false, true]) {
    const means: number[] = [];
    const total = { first: 0, among: 0, of: 0 };
    for (const size of sizes) {
      const scores = { precision: 0, recall: 0 };
      const causes = { first: 0, among: 0, of: 0 };
      for (const seed of seeds) {
        const estate = generateEstate({ ...size, seed, startMs });
        const alerts = estate.reports.map(alertOf);
        const services = servicesConfig.parse(estate.services);
        const replayed = await replayAlerts(alerts, withGraph ? { services } : {});
        const { precision, recall } = pairwise(alerts, estate, replayed);
        scores.precision += precision / seeds.length;
        scores.recall += recall / seeds.length;
        const found = causesOf(estate, replayed, wantsFaults);
        for (const name of ['first', 'among', 'of'] as const) causes[name] += found[name];
      }
      const f1 = (2 * scores.precision * scores.recall) / (scores.precision + scores.recall);
      means.push(f1);
      for (const name of ['first', 'among', 'of'] as const) total[name] += causes[name];
      console.log(
        `  ${(withGraph ? 'with graph' : 'without graph').padEnd(15)}${String(size.serviceCount).padStart(8)}${String(size.faultCount).padStart(8)}   ` +
          [scores.precision, scores.recall, f1].map((value) => value.toFixed(3)).join(' / ') +
          `${`${causes.first} of ${causes.of}`.padStart(19)}${`${causes.among} of ${causes.of}`.padStart(14)}`,
      );
    }
    console.log(
      `  mean F1 ${(means.reduce((a, b) => a + b, 0) / means.length).toFixed(3)}, cause first ${((100 * total.first) / total.of).toFixed(0)} %, among three ${((100 * total.among) / total.of).toFixed(0)} %`,
    );
  }
}

/** Each alert counts once, by its first report; noise is groups of its own. */
function pairwise(
  alerts: readonly Alert[],
  { reports }: Estate,
  { assignments }: Replayed,
): { precision: number; recall: number } {
  const seen = new Set<string>();
  const [truths, groups, cells] = [
    new Map<string, number>(),
    new Map<string, number>(),
    new Map<string, number>(),
  ];
  for (const [i, { faultId }] of reports.entries()) {
    const { fingerprint: id } = alerts[i]!;
    if (seen.has(id)) continue;
    seen.add(id);
    const group = assignments[i]?.incidentId ?? `alone-${i}`;
    count(groups, group);
    if (faultId === null) continue;
    count(truths, faultId);
    count(cells, `${faultId}\n${group}`);
  }
  const together = pairsOf(cells);
  return {
    precision: together / Math.max(1, pairsOf(groups)),
    recall: together / Math.max(1, pairsOf(truths)),
  };
}

function causesOf(
  { faults, reports }: Estate,
  { assignments, incidents }: Replayed,
  wantsFaults: boolean,
): { first: number; among: number; of: number } {
  let [first, among, of] = [0, 0, 0];
  for (const { id, root } of faults) {
    const counts = new Map<string, number>();
    for (const [i, { faultId }] of reports.entries())
      if (faultId === id) count(counts, assignments[i]?.incidentId ?? '');
    const [main] = [...counts].sort((a, b) => b[1] - a[1]);
    const incident = incidents.get(main?.[0] ?? '');
    if (!incident) continue;
    of++;
    const named = incident.probableCauses.map(({ labels }) => rootNamed(labels, root));
    const isLone = incident.signalCount === 1;
    if (named[0] || isLone) first++;
    if (named.includes(true) || isLone) among++;
    if (wantsFaults)
      console.log(
        `      ${id} ${root}: ${main?.[0]}, ${counts.size} incidents, ${incident.signalCount} signals, named ${incident.probableCauses.map(({ text }) => text).join('; ')}`,
      );
  }
  return { first, among, of };
}

/** Whether the labels name the root: its service, or where no service is named its machine. */
function rootNamed(labels: Alert['labels'], root: string): boolean {
  return labelValue(labels, 'service') === root || labelValue(labels, 'instance') === `${root}-0`;
}

function alertOf({ labels: names, annotations, atMs, startsAtMs, endsAtMs, isEvent }: EstateReport): Alert {
  const labels = labelsOf(names);
  return {
    fingerprint: fingerprint(labels),
    domain: 'default',
    labels,
    annotations: labelsOf(annotations),
    startsAtMs,
    endsAtMs: endsAtMs === null ? atMs + (isEvent ? 300_000 : 240_000) : atMs,
    endsByTimeout: isEvent && endsAtMs === null,
    receivedAtMs: atMs,
    generatorUrl: '',
    source: 'quality',
  };
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function pairsOf(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, n) => sum + (n * (n - 1)) / 2, 0);
}
