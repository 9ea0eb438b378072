import { formatDuration, labelPairs, labelValue, type Labels } from '../alert/index.ts';
import type { Reason } from '../incident/index.ts';
import type { Match } from './open-signals.ts';
import type { SignalRow } from './signal-row.ts';

const maxShownLabels = 4;
const maxShownLength = 100;

/** Why a signal was opened, where there was one that came close. */
export function notSimilarReason({ signal, similarity }: Match, threshold: number): Reason {
  const text = `most similar text ${similarity.toFixed(2)}, less than ${threshold}, to ${quote(signal.row.text)} (${signal.row.id})`;
  return { stage: 'dedup', code: 'not_similar', text, weight: similarity };
}

/** Why an alert joined a signal. */
export function similarReason({ signal, similarity }: Match, labels: Labels): Reason {
  const differing = differences(signal.row.labels, labels);
  const text = `similar text ${similarity.toFixed(2)} to ${quote(signal.row.text)}`;
  return {
    stage: 'dedup',
    code: 'similar_text',
    text: differing === '' ? text : `${text}; differs in ${differing}`,
    weight: similarity,
  };
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

/** The labels in which `after` differs from `before`, for people. */
function differences(before: Labels, after: Labels): string {
  const shown: string[] = [];
  for (const [name, value] of labelPairs(after)) {
    const old = labelValue(before, name);
    if (old !== value) shown.push(`${name}: ${cut(old) || 'none'} -> ${cut(value)}`);
  }
  for (const [name, value] of labelPairs(before)) {
    if (labelValue(after, name) === '') shown.push(`${name}: ${cut(value)} -> none`);
  }
  const rest = shown.length - maxShownLabels;
  return shown.slice(0, maxShownLabels).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
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
