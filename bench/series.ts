/** The detector for series of values: microseconds a point by the number of series, and bytes a series. */
import {
  bytesPerSeries,
  createSeriesBank,
  explainPoint,
  scorePoint,
  seriesResultWidth,
} from '../src/score/index.ts';
import { createDice } from '../models/quiet-weeks.ts';

const stepMs = 300_000;
const startMs = 1_767_571_200_000;
/** A million series take two gigabytes; the largest count is lowered by the first argument. */
const counts = [1, 1000, 100_000, 1_000_000].filter((count) => count <= Number(process.argv[2] ?? 1_000_000));
const dice = createDice(1);
const values = Float64Array.from(
  { length: 4096 },
  () => 50 + 10 * dice.next() + (dice.next() < 0.01 ? 30 : 0),
);

console.log(`${bytesPerSeries.toLocaleString('en')} bytes a series`);
for (const count of counts) {
  const bank = createSeriesBank(count);
  const result = new Float64Array(seriesResultWidth);
  const rounds = Math.max(3, Math.ceil(1_000_000 / count));
  const warmUp = Math.ceil(rounds / 4);
  let usedUs = 0;
  let points = 0;
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage();
    for (let series = 0; series < count; series++) {
      scorePoint(bank, series, startMs + round * stepMs, values[(round * 31 + series) % 4096]!, result);
    }
    if (round < warmUp) continue;
    const { user, system } = process.cpuUsage(before);
    usedUs += user + system;
    points += count;
  }
  console.log(
    `${count.toLocaleString('en').padStart(9)} series: ${(usedUs / points).toFixed(2)} us a point, ` +
      `${Math.round((points / usedUs) * 1e6).toLocaleString('en')} points a second and core`,
  );
}

const bank = createSeriesBank(1);
const result = new Float64Array(seriesResultWidth);
values.forEach((value, i) => scorePoint(bank, 0, startMs + i * stepMs, value, result));
const before = process.cpuUsage();
for (let i = 0; i < 100_000; i++) explainPoint(result);
const { user, system } = process.cpuUsage(before);
console.log(`reasons: ${((user + system) / 100_000).toFixed(2)} us for a point that is explained`);
