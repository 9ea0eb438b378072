import { labelValue, parseSeverity, type Alert } from '../alert/index.ts';
import type { Signal } from '../incident/index.ts';
import type { SignalKey } from './keys.ts';
import type { Sketch } from './sketch.ts';

/** A signal as it is kept: without its signature, which follows from the text. */
export interface SignalRow extends Omit<Signal, 'signature' | 'key'> {
  /** Absent in most, and in what versions wrote that knew no keys. */
  readonly key?: SignalKey;
  /** Times of its last changes between firing and quiet, oldest first. */
  changesMs: number[];
}

/** A row with what is derived of it. */
export interface LiveSignal {
  readonly row: SignalRow;
  sketch: Sketch;
  /** The text for people, with what has turned out to be a variable masked too. */
  template: string;
  /** Hash of the shape of its text. */
  readonly shape: number;
  /** Its place among the signals of its shape. */
  shapePlace: number;
  /** The older of two signals has the lower. Only the sequence means something. */
  readonly order: number;
  /** Equal for the signals that a near-duplicate may choose from. */
  scope: string;
  /** All fingerprints that have joined it; some may have gone to a newer signal. */
  joined: string[] | null;
}

const shownFingerprintCount = 20;

export function createSignalRow(
  id: string,
  alert: Alert,
  text: string,
  template: string,
  severityLabel: string,
  nowMs: number,
  key: SignalKey | null = null,
): SignalRow {
  return {
    id,
    domain: alert.domain,
    labels: alert.labels,
    ...(key === null ? {} : { key }),
    text,
    template,
    severity: parseSeverity(labelValue(alert.labels, severityLabel)),
    state: 'firing',
    firstAtMs: nowMs,
    lastAtMs: nowMs,
    resolvedAtMs: null,
    alertCount: 0,
    fingerprints: [],
    fingerprintCount: 0,
    firingCount: 0,
    changesMs: [],
  };
}

/** Counts a new fingerprint in. */
export function addFingerprint(row: SignalRow, fingerprint: string): void {
  row.fingerprintCount++;
  if (row.fingerprints.length < shownFingerprintCount) row.fingerprints = [...row.fingerprints, fingerprint];
}

/** Notes a change between firing and quiet; the oldest beyond `limit` fall away. */
export function addChange(row: SignalRow, nowMs: number, limit: number): void {
  row.changesMs = [...row.changesMs, nowMs].slice(-limit);
}

/** A copy that later stages may keep. */
export function copySignal({ row, sketch, template }: LiveSignal): Signal {
  const { changesMs: _, key, ...signal } = row;
  return {
    ...signal,
    ...(key === undefined ? {} : { key: key.text }),
    template,
    signature: sketch.signature,
  };
}
