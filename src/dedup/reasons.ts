import { formatDuration } from '../alert/index.ts';
import type { Reason } from '../incident/index.ts';
import type { Match } from './open-signals.ts';
import type { LiveSignal, SignalRow } from './signal-row.ts';

const maxShownLength = 100;

/** Why a signal was opened, where there was one that came close. */
export function notSimilarReason({ signal, similarity }: Match, threshold: number): Reason {
  const why = similarity < threshold ? `less than ${threshold}` : 'but more differs than words';
  const text = `most similar text ${similarity.toFixed(2)}, ${why}, to ${quote(signal.row.text)} (${signal.row.id})`;
  return { stage: 'dedup', code: 'not_similar', text, weight: similarity };
}

/** Why an alert joined a signal. `differing` as `differencesOf` gives it. */
export function similarReason({ signal, similarity }: Match, differing: string): Reason {
  const text = `similar text ${similarity.toFixed(2)} to ${quote(signal.row.text)}`;
  return {
    stage: 'dedup',
    code: 'similar_text',
    text: differing === '' ? text : `${text}; differs in ${differing}`,
    weight: similarity,
  };
}

/** Why an alert is in the signal that it opened, or came back to. */
export function ownReason({ row }: LiveSignal): Reason {
  return { stage: 'dedup', code: 'own_signal', text: `the first alert of ${row.id}` };
}

export function reopenedReason(quietMs: number): Reason {
  return {
    stage: 'dedup',
    code: 'fired_again',
    text: `fired again ${formatDuration(quietMs)} after it resolved`,
  };
}

export function resolvedReason({ fingerprintCount }: SignalRow, isExpired: boolean): Reason {
  const all = fingerprintCount === 1 ? 'its alert' : `all ${fingerprintCount} alerts`;
  return isExpired
    ? { stage: 'dedup', code: 'expired', text: `${all} resolved, the last because nobody repeated it` }
    : { stage: 'dedup', code: 'resolved', text: `${all} resolved` };
}

export function flappingReason(
  { changesMs }: SignalRow,
  share: number,
  nowMs: number,
  quietMs: number,
): Reason {
  const span = formatDuration(nowMs - (changesMs[0] ?? nowMs));
  const text =
    `flapping: ${changesMs.length} changes in ${span}, ${percent(share)} weighted; ` +
    `it is over once nothing changes for ${formatDuration(quietMs)}`;
  return { stage: 'dedup', code: 'flapping', text, weight: share };
}

export function calmerReason(share: number): Reason {
  return { stage: 'dedup', code: 'calmer', text: `${percent(share)} weighted changes`, weight: share };
}

export function quietReason(quietMs: number): Reason {
  return { stage: 'dedup', code: 'quiet', text: `no change for ${formatDuration(quietMs)}` };
}

function quote(text: string): string {
  return `"${cut(text)}"`;
}

function cut(text: string): string {
  return text.length > maxShownLength ? `${text.slice(0, maxShownLength - 1)}…` : text;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
