import type { Labels, Severity } from '../alert/index.ts';

/** The alerts that dedup takes as one thing. */
export interface Signal {
  readonly id: string;
  readonly domain: string;
  /** Labels of the first alert; those of later members may differ outside of the protected labels. */
  readonly labels: Labels;
  /** The key by which its alerts are one thing, whatever their texts say: their sender's, or that of a rule; absent where there is none. */
  readonly key?: string;
  /** The text that people read: summary, else description, else alertname. */
  readonly text: string;
  /** `text` with what varies (numbers, ids, addresses) masked. */
  readonly template: string;
  /** MinHash sketch of the shingles of `alertname` and template, 128 unsigned 32-bit values. Equal ones may share one array. */
  readonly signature: readonly number[];
  severity: Severity;
  state: SignalState;
  readonly firstAtMs: number;
  lastAtMs: number;
  /** Set while `state` is `resolved`. */
  resolvedAtMs: number | null;
  /** Reports counted into this signal, repeats included. */
  alertCount: number;
  /** The first of the fingerprints that belong to it; at most 20. */
  fingerprints: readonly string[];
  /** All of them. */
  fingerprintCount: number;
  /** How many of them fire now. */
  firingCount: number;
}

export type SignalState = 'firing' | 'flapping' | 'resolved';
