import { distanceBin, tailPlace } from './kernel.ts';
import { column, distanceBins, tailBins } from './matrix.ts';
import type { ScoreConfig } from './config.ts';

const rarityBins = 20;
/** Beyond these weights all is halved, so that what was long ago fades. */
const rarityWeightLimit = 1024;
const tailWeightLimit = 4096;

/** How odd the scored periods of a domain have been under one model. */
export interface OddPeriods {
  /** Weight of scored periods by raw tail probability; see `tailPlace`. */
  readonly tail: number[];
  tailTotal: number;
  /** Weight of the same periods by their behaviour's distance to the nearest cluster; those judged without a model are left out. */
  readonly distances: number[];
}

/** What is known of a domain as a whole: its age, how rare its kinds are, and how odd its periods have been. */
export interface DomainHistory extends OddPeriods {
  readonly firstMs: number;
  lastMs: number;
  /** Periods of any kind with alerts. */
  periods: number;
  /** The period in which a kind was scored last, and how many kinds were scored in it. */
  period: number;
  scored: number;
  /** Scored periods by how often their kind had been seen before: never, once, 2-3, 4-7, ... times. */
  readonly rarity: number[];
  rarityTotal: number;
}

export function createDomain(timeMs: number): DomainHistory {
  return {
    firstMs: timeMs,
    lastMs: timeMs,
    periods: 0,
    period: -1,
    scored: 0,
    rarity: Array.from({ length: rarityBins }, () => 0),
    rarityTotal: 0,
    tail: Array.from({ length: tailBins }, () => 0),
    tailTotal: 0,
    distances: Array.from({ length: distanceBins }, () => 0),
  };
}

/** Whether so much has been seen of the domain that a kind it has never shown is news. */
export function isWellKnown(domain: DomainHistory, timeMs: number, config: ScoreConfig): boolean {
  return (
    domain.periods >= config.known_domain_periods ||
    (domain.periods >= config.min_samples && timeMs - domain.firstMs >= config.known_domain_after)
  );
}

/**
 * The share of the domain's scored periods that belonged to kinds seen at most about as often as one seen `seen`
 * times: for 0 the Good-Turing estimate of the probability that what comes next has never been seen. In (0, 1].
 */
export function noveltyTail(domain: DomainHistory, seen: number): number {
  let rarer = 0.5;
  for (let bin = rarityBin(seen); bin >= 0; bin--) rarer += domain.rarity[bin]!;
  return rarer / (domain.rarityTotal + 0.5);
}

/** Counts a period that is scored for the first time. Returns its rank among the kinds scored in `period`, from 1. */
export function learnScored(domain: DomainHistory, period: number, seen: number): number {
  if (domain.period !== period) {
    domain.period = period;
    domain.scored = 0;
  }
  domain.rarity[rarityBin(seen)]! += 1;
  domain.rarityTotal += 1;
  if (domain.rarityTotal > rarityWeightLimit) domain.rarityTotal = halve(domain.rarity);
  return ++domain.scored;
}

/**
 * Learns how odd a scored period turned out: its raw tail, and its distance (NaN for none). The n-th kind scored in a period weighs 1/n: a storm of a hundred kinds
 * teaches little more than five quiet ones, so that the next storm is still a surprise.
 */
export function learnTail(domain: OddPeriods, raw: number, distance: number, rank: number): void {
  domain.tail[Math.floor(tailPlace(raw))]! += 1 / rank;
  if (!Number.isNaN(distance)) domain.distances[distanceBin(distance)]! += 1 / rank;
  domain.tailTotal += 1 / rank;
  if (domain.tailTotal > tailWeightLimit) {
    domain.tailTotal = halve(domain.tail);
    halve(domain.distances);
  }
}

export function writeTail(row: Float64Array, domain: OddPeriods): void {
  row[column.tailTotal] = domain.tailTotal;
  for (let bin = 0; bin < tailBins; bin++) row[column.tail + bin] = domain.tail[bin]!;
  for (let bin = 0; bin < distanceBins; bin++) row[column.distances + bin] = domain.distances[bin]!;
}

function rarityBin(seen: number): number {
  return seen === 0 ? 0 : Math.min(rarityBins - 1, 1 + Math.floor(Math.log2(seen)));
}

function halve(weights: number[]): number {
  let total = 0;
  for (let i = 0; i < weights.length; i++) total += weights[i]! /= 2;
  return total;
}
