import type { Labels } from '../alert/index.ts';
import type { Candidate, Reason } from '../incident/index.ts';
import { addHeat, createHeat, type Heat } from './heat.ts';
import { createPace, learn, logOf, type Pace } from './pace.ts';

/** What correlation remembers of a signal. */
export interface SignalRow {
  readonly id: string;
  readonly domain: string;
  readonly labels: Labels;
  readonly template: string;
  readonly signature: readonly number[];
  /** Purely informational (a heartbeat, a notice): it says nothing about how often trouble comes. */
  readonly isNotice: boolean;
  isFiring: boolean;
  candidateId: string;
  /** Of what is told as events, without a word about their end: how often it is heard of. Absent where alerts say themselves when they end. */
  pace?: Pace;
}

/** A candidate and what only correlation needs to know of it. */
export interface CandidateRow {
  readonly candidate: Candidate;
  /** The number in its id; a lower one is older. */
  readonly number: number;
  firingCount: number;
  /** How many of them fire until their sender says that they do not: what has such a signal goes on, however long it is silent. */
  steadyCount: number;
  /** How often its events are heard of; absent while it holds none. */
  pace?: Pace;
  /** It takes part in correlation: signals may find it through the index. */
  isActive: boolean;
  /** Candidates that it must never be joined with by itself, because a person took them apart. */
  apart: string[];
  /** How often it takes in further signals, those that come at once counted once; absent while it has not. */
  growth?: Pace;
  /** How much it may be expected to take in another signal now. */
  heat: Heat;
  /** The first of the candidates that continue each other because each before was full; itself when it is the first. */
  familyId: string;
  /** Of the first: how many signals its continuations have taken in. */
  overflowCount: number;
  /** Of the first: the latest continuation. */
  continuedBy: string | null;
}

/** Signals of one moment: monitors look at a thing at slightly different times. */
const atOnceMs = 5000;
const growthMemory = 16;
const maxReasons = 20;
const maxLinks = 200;

export function createCandidateRow(id: string, number: number, domain: string, nowMs: number): CandidateRow {
  return {
    candidate: {
      id,
      domain,
      state: 'open',
      signalIds: [],
      links: [],
      openedAtMs: nowMs,
      lastAtMs: nowMs,
      resolvedAtMs: null,
      reasons: [],
      mergedInto: null,
    },
    number,
    firingCount: 0,
    steadyCount: 0,
    isActive: false,
    apart: [],
    heat: createHeat(nowMs),
    familyId: `INC-${number}`,
    overflowCount: 0,
    continuedBy: null,
  };
}

/** Adds a reason; the oldest fall away. */
export function addReason(row: CandidateRow, code: string, text: string): void {
  const reason: Reason = { stage: 'correlate', code, text };
  row.candidate.reasons = [...row.candidate.reasons, reason].slice(-maxReasons);
}

/** Keeps the newest links. */
export function setLinks(row: CandidateRow, links: Candidate['links']): void {
  row.candidate.links = links.length > maxLinks ? links.slice(-maxLinks) : links;
}

/** Counts a new signal at `nowMs`. */
export function noteSignal(row: CandidateRow, nowMs: number): void {
  const gapMs = nowMs - row.candidate.lastAtMs;
  if (gapMs > atOnceMs) {
    row.growth ??= createPace(row.candidate.lastAtMs);
    learn(row.growth, logOf(gapMs), growthMemory);
  }
  row.candidate.lastAtMs = nowMs;
  addHeat(row.heat, 1, nowMs);
}

/** A copy that later stages may keep. INVARIANT: its lists are shared with it, so that they are replaced and never changed in place. */
export function copyCandidate({ candidate }: CandidateRow): Candidate {
  return { ...candidate };
}

/** Counts a member that fires (`by` 1) or does so no more (-1). */
export function countFiring(row: CandidateRow, signal: SignalRow, by: number): void {
  row.firingCount += by;
  if (!signal.pace) row.steadyCount += by;
}

/** Gives a row that an earlier version wrote what it lacks: a candidate that has not yet taken anything in of late. */
export function completeRow(row: CandidateRow): CandidateRow {
  const found: Partial<CandidateRow> = row;
  row.heat = found.heat ?? createHeat(row.candidate.lastAtMs);
  row.steadyCount = found.steadyCount ?? row.firingCount;
  return row;
}
