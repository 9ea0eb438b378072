import type { Labels } from '../alert/index.ts';
import type { Candidate, Reason } from '../incident/index.ts';
import { decayed } from './background.ts';

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
}

/** A candidate and what only correlation needs to know of it. */
export interface CandidateRow {
  readonly candidate: Candidate;
  /** The number in its id; a lower one is older. */
  readonly number: number;
  firingCount: number;
  /** It takes part in correlation: signals may find it through the index. */
  isActive: boolean;
  /** Candidates that it must never be joined with by itself, because a person took them apart. */
  apart: string[];
  /** Decaying number of its new signals, to leave them out of the domain's rate. */
  pulse: number;
  pulseAtMs: number;
  /** The first of the candidates that continue each other because each before was full; itself when it is the first. */
  familyId: string;
  /** Of the first: how many signals its continuations have taken in. */
  overflowCount: number;
  /** Of the first: the latest continuation. */
  continuedBy: string | null;
}

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
    isActive: false,
    apart: [],
    pulse: 0,
    pulseAtMs: nowMs,
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
  row.candidate.lastAtMs = nowMs;
  row.pulse = pulseOf(row, nowMs) + 1;
  row.pulseAtMs = nowMs;
}

export function pulseOf(row: CandidateRow, nowMs: number): number {
  return decayed(row.pulse, nowMs - row.pulseAtMs);
}

/** A copy that later stages may keep. */
export function copyCandidate({ candidate }: CandidateRow): Candidate {
  return {
    ...candidate,
    signalIds: [...candidate.signalIds],
    links: [...candidate.links],
    reasons: [...candidate.reasons],
  };
}
