import { expect, test } from 'vitest';
import { Companions } from '../../src/correlate/companions.ts';
import { Table, type StageContext } from '../../src/engine/index.ts';

const windowMs = 5000;
const minuteMs = 60_000;

function createCompanions(): Companions {
  return new Companions({ table: (name: string) => new Table(name) } as unknown as StageContext);
}

test('what comes together again and again is company, and the surer the more often', () => {
  const companions = createCompanions();
  let before = 0;
  for (let round = 1; round <= 12; round++) {
    companions.visit('main', 'a', windowMs, round * 10 * minuteMs);
    companions.visit('main', 'b', windowMs, round * 10 * minuteMs + 1000);
    if (round % 4 !== 0) continue;
    const [found] = companions.of('a', windowMs, round * 10 * minuteMs + 2000);
    expect(found).toMatchObject({ kind: 'b', together: round, of: round });
    expect(found?.weight).toBeGreaterThan(before);
    before = found?.weight ?? 0;
  }
});

test('what comes all the time is no company of what comes now and then', () => {
  const companions = createCompanions();
  for (let second = 0; second < 3600; second += 3) {
    companions.visit('main', 'often', windowMs, second * 1000);
    if (second % 600 === 0) companions.visit('main', 'seldom', windowMs, second * 1000);
  }
  expect(companions.of('seldom', windowMs, 3_600_000)).toEqual([]);
});

test('one time together is not company yet, and domains have nothing to do with each other', () => {
  const companions = createCompanions();
  companions.visit('main', 'a', windowMs, 0);
  companions.visit('main', 'b', windowMs, 0);
  expect(companions.of('a', windowMs, 1000)).toEqual([]);
  for (let round = 1; round <= 12; round++) {
    companions.visit('main', 'a', windowMs, round * 10 * minuteMs);
    companions.visit('other', 'c', windowMs, round * 10 * minuteMs);
  }
  expect(companions.of('a', windowMs, 130 * minuteMs).map(({ kind }) => kind)).not.toContain('c');
});
