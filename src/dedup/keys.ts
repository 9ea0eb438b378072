import { compileMatchers, labelValue, matchesAll, type Alert, type Severity } from '../alert/index.ts';
import type { Reason } from '../incident/index.ts';
import type { DedupConfig } from './config.ts';
import { parseKey, type KeyRule } from './key-rule.ts';

/** By what alerts are one thing, whatever their texts say. */
export interface SignalKey {
  /** Equal for two alerts exactly when they are of one domain and their key is the same, from their senders or from one rule. */
  readonly id: string;
  /** As people read it. */
  readonly text: string;
}

/** The key of an alert, and why it has that one, or why a rule gave none. */
export interface FoundKey {
  readonly key: SignalKey | null;
  readonly reasons: readonly Reason[];
}

export type KeyOf = (alert: Alert) => FoundKey;

const none: FoundKey = { key: null, reasons: [] };

/**
 * Gives the key of an alert: its sender's own, else that of the first rule of `dedup.keys` that matches and finds all its labels.
 * A rule that lacks one says so as a reason, and the next is asked: a key is never made of nothing.
 */
export function createKeys({ caller_keys, keys }: Pick<DedupConfig, 'caller_keys' | 'keys'>): KeyOf {
  const rules = keys.map(compileRule);
  return (alert) => {
    const { domain, key: own, labels } = alert;
    if (caller_keys && own !== undefined) {
      const reason = keyReason(`key ${JSON.stringify(own)} given by its sender`);
      return { key: { id: idOf(domain, '', [own]), text: own }, reasons: [reason] };
    }
    if (rules.length === 0) return none;
    const reasons: Reason[] = [];
    for (const { name, matchers, parts } of rules) {
      if (!matchesAll(matchers, labels)) continue;
      const names = parts.flatMap((part) => ('label' in part ? [part.label] : []));
      const missing = names.filter((label) => labelValue(labels, label) === '');
      if (missing.length > 0) {
        reasons.push(missingReason(name, missing));
        continue;
      }
      const text = parts
        .map((part) => ('label' in part ? labelValue(labels, part.label) : part.text))
        .join('');
      const values = names.map((label) => labelValue(labels, label));
      reasons.push(keyReason(`key ${JSON.stringify(text)} by the rule ${name}`));
      return { key: { id: idOf(domain, name, values), text }, reasons };
    }
    return { key: null, reasons };
  };
}

/** Why a signal is more urgent than it was. */
export function escalatedReason(before: Severity, after: Severity): Reason {
  return {
    stage: 'dedup',
    code: 'escalated',
    text: `severity raised from ${before} to ${after} under one key`,
  };
}

function compileRule({ name, matchers, key }: KeyRule) {
  const compiled = compileMatchers(matchers);
  const parts = parseKey(key);
  if (!compiled.ok || parts === null) throw new Error(`the key rule ${name} was not checked`);
  return { name, matchers: compiled.matchers, parts };
}

/** Values with their lengths, so that none runs into the next: what a person reads as one text may be two keys. */
function idOf(domain: string, rule: string, values: readonly string[]): string {
  return [domain, rule, ...values].map((text) => `${text.length}:${text}`).join('');
}

function keyReason(text: string): Reason {
  return { stage: 'dedup', code: 'key', text };
}

function missingReason(rule: string, labels: readonly string[]): Reason {
  const lacks = labels.length === 1 ? `the label ${labels[0]} is` : `the labels ${labels.join(', ')} are`;
  return { stage: 'dedup', code: 'key_missing', text: `the rule ${rule} gives no key: ${lacks} missing` };
}
