import { gammaln } from 'simple-statistics';

/**
 * The probability of at least `count` events, 0..1, where `mean` are expected with this variance: of a negative binomial distribution,
 * or of a Poisson distribution where the variance is not above the mean. Relative error below 1e-6; what is below 1e-300 is 0.
 * `count` is a whole number from 0 on. Source: Johnson, Kemp, Kotz, Univariate Discrete Distributions, chapters 4 and 5.
 */
export function tailOf(count: number, mean: number, variance: number): number {
  if (count <= 0) return 1;
  if (mean <= 0) return 0;
  const isSpread = variance > mean * (1 + 1e-9);
  // With r = mean^2 / (variance - mean) and q = mean / (mean + r): P(k) = C(k+r-1, k) q^k (1-q)^r.
  const r = isSpread ? (mean * mean) / (variance - mean) : Infinity;
  const q = isSpread ? mean / (mean + r) : 0;
  const log = isSpread
    ? gammaln(count + r) - gammaln(r) - gammaln(count + 1) + count * Math.log(q) + r * Math.log1p(-q)
    : count * Math.log(mean) - mean - gammaln(count + 1);
  const ratio = (k: number): number => (isSpread ? (q * (k + r)) / (k + 1) : mean / (k + 1));
  // Far below the mean the lower side is the shorter sum, and the safer one.
  if (count < mean) return Math.max(0, 1 - lowerSum(count, log, ratio));
  let term = Math.exp(log);
  let sum = term;
  for (let k = count; term > sum * 1e-9; k++) sum += term *= ratio(k);
  return Math.min(1, sum);
}

/** P(X < count), from the term at `count` downwards. */
function lowerSum(count: number, log: number, ratio: (k: number) => number): number {
  let term = Math.exp(log);
  let sum = 0;
  for (let k = count - 1; k >= 0; k--) {
    term /= ratio(k);
    sum += term;
    if (term < sum * 1e-9) break;
  }
  return sum;
}

/** The largest count that is at least as likely to be reached as `probability` says. 0 where even 1 is not. */
export function quantileOf(probability: number, mean: number, variance: number): number {
  let low = 0;
  let high = 1;
  while (tailOf(high, mean, variance) >= probability) {
    low = high;
    high *= 2;
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (tailOf(middle, mean, variance) >= probability) low = middle;
    else high = middle;
  }
  return low;
}
