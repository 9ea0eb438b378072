import { expect, test } from 'vitest';
import { generateEstate } from '../../bench/scenarios/estate.ts';

const options = { seed: 7, startMs: 1_767_571_200_000, serviceCount: 60, faultCount: 5 };

test('the same seed gives the same reports, in the order of their times', () => {
  const { reports } = generateEstate(options);
  expect(generateEstate(options).reports).toEqual(reports);
  expect(reports.every(({ atMs }, i) => i === 0 || atMs >= reports[i - 1]!.atMs)).toBe(true);
});

test('each fault is told of by its root, and reaches nobody who does not depend on it', () => {
  const { services, faults } = generateEstate(options);
  const callsOf = new Map(services.map(({ name, depends_on }) => [name, depends_on]));
  const reaches = (from: string, to: string): boolean =>
    from === to || (callsOf.get(from) ?? []).some((callee) => reaches(callee, to));
  for (const { root, conditions } of faults) {
    expect(conditions.some(({ labels }) => labels['service'] === root)).toBe(true);
    expect(conditions.every(({ labels }) => reaches(labels['service'] ?? '', root))).toBe(true);
  }
});

test('some alerts name no service, and some are told twice in other words', () => {
  const { reports } = generateEstate(options);
  expect(reports.some(({ labels }) => labels['service'] === undefined)).toBe(true);
  expect(reports.some(({ labels }) => labels['monitor'] === 'synthetics')).toBe(true);
});
