import { labelValue, maxSeverity, parseSeverity, type Alert } from '../alert/index.ts';
import type { StageContext, Table } from '../engine/index.ts';
import type { Signal } from '../incident/index.ts';
import type { DedupConfig } from './config.ts';
import { scopeNumber, type Identity } from './identity.ts';
import { LshIndex, lshShape } from './lsh.ts';
import { estimateSimilarity, signatureLength } from './minhash.ts';

/** A signal as dedup keeps it. */
export interface StoredSignal extends Signal {
  readonly scope: string;
  /** Counts up with each signal: the older of two has the lower. */
  readonly order: number;
  /** Times of its last state changes, oldest first. */
  changesMs: number[];
}

const shownFingerprintCount = 20;

/** All signals, by id, by fingerprint and by similarity of those that are not resolved. */
export class Signals {
  readonly #signals: Table<StoredSignal>;
  readonly #signalOf: Table<string>;
  readonly #counters: Table<number>;
  #index: LshIndex | null = null;
  #threshold = 1;

  constructor(context: StageContext) {
    this.#signals = context.table<StoredSignal>('signals');
    this.#signalOf = context.table<string>('members');
    this.#counters = context.table<number>('counters');
  }

  /** Builds the index anew for a threshold. */
  configure({ similarity }: Pick<DedupConfig, 'similarity'>): void {
    this.#threshold = similarity;
    this.#index = similarity < 1 ? new LshIndex(lshShape(signatureLength, similarity)) : null;
    for (const signal of this.#signals.values()) if (signal.state !== 'resolved') this.enlist(signal);
  }

  get(id: string): StoredSignal | undefined {
    return this.#signals.get(id);
  }

  all(): IterableIterator<StoredSignal> {
    return this.#signals.values();
  }

  of(fingerprint: string): StoredSignal | undefined {
    const id = this.#signalOf.get(fingerprint);
    return id === undefined ? undefined : this.#signals.get(id);
  }

  /** The most similar open signal of the same scope, the oldest of equals; null when none is similar enough. */
  mostSimilar({ scope, signature }: Identity): { signal: StoredSignal; similarity: number } | null {
    let best: { signal: StoredSignal; similarity: number } | null = null;
    for (const id of this.#index?.candidates(scopeNumber(scope), signature) ?? []) {
      const signal = this.#signals.get(id);
      if (!signal || signal.scope !== scope) continue;
      const similarity = estimateSimilarity(signature, signal.signature);
      if (similarity < this.#threshold) continue;
      if (
        best &&
        (similarity < best.similarity || (similarity === best.similarity && signal.order > best.signal.order))
      )
        continue;
      best = { signal, similarity };
    }
    return best;
  }

  open(alert: Alert, identity: Identity, severityLabel: string, nowMs: number): StoredSignal {
    const order = (this.#counters.get('signals') ?? 0) + 1;
    this.#counters.set('signals', order);
    const signal: StoredSignal = {
      id: `sig-${order}`,
      domain: alert.domain,
      labels: alert.labels,
      text: identity.text,
      template: identity.template,
      signature: identity.signature,
      severity: parseSeverity(labelValue(alert.labels, severityLabel)),
      state: 'firing',
      firstAtMs: nowMs,
      lastAtMs: nowMs,
      resolvedAtMs: null,
      alertCount: 0,
      fingerprints: [],
      fingerprintCount: 0,
      firingCount: 0,
      scope: identity.scope,
      order,
      changesMs: [],
    };
    this.#signals.set(signal.id, signal);
    this.enlist(signal);
    return signal;
  }

  /** Counts a fingerprint in. */
  join(signal: StoredSignal, alert: Alert, severityLabel: string): void {
    this.#signalOf.set(alert.fingerprint, signal.id);
    signal.fingerprintCount++;
    if (signal.fingerprints.length < shownFingerprintCount)
      signal.fingerprints = [...signal.fingerprints, alert.fingerprint];
    signal.severity = maxSeverity(signal.severity, parseSeverity(labelValue(alert.labels, severityLabel)));
    this.touch(signal);
  }

  touch(signal: StoredSignal): void {
    this.#signals.touch(signal.id);
  }

  /** Lets new alerts join the signal. */
  enlist(signal: StoredSignal): void {
    this.#index?.add(signal.id, scopeNumber(signal.scope), signal.signature);
  }

  /** Lets no new alerts join it. */
  delist(signal: StoredSignal): void {
    this.#index?.remove(signal.id, scopeNumber(signal.scope), signal.signature);
  }

  forget(signal: StoredSignal): void {
    this.#signals.delete(signal.id);
  }

  /** Forgets which signal a fingerprint was in. */
  release(fingerprint: string): void {
    this.#signalOf.delete(fingerprint);
  }
}

/** A copy that later stages may keep, without what is dedup's own. */
export function copySignal({ scope: _, order: __, changesMs: ___, ...signal }: StoredSignal): Signal {
  return signal;
}
