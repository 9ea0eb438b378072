import { labelPairs, labelValue, type Alert } from '../alert/index.ts';
import type { DedupConfig } from './config.ts';
import { maskText } from './mask.ts';
import { mix, signatureLength, signWords } from './minhash.ts';

/** What dedup compares of an alert. */
export interface Identity {
  /** What people read: summary, else description, else the alert's name. */
  readonly text: string;
  readonly template: string;
  readonly signature: readonly number[];
  /** Everything that must be equal: domain, protected labels, direction words. Never shown. */
  readonly scope: string;
}

/** Words that turn a text into its opposite: texts that differ in one of them are never near-duplicates. */
const directionWords = new Set([
  'up',
  'down',
  'high',
  'low',
  'higher',
  'lower',
  'full',
  'empty',
  'start',
  'started',
  'starting',
  'stop',
  'stopped',
  'stopping',
  'above',
  'below',
  'over',
  'under',
  'connected',
  'disconnected',
  'connect',
  'disconnect',
  'enter',
  'entered',
  'exit',
  'exited',
  'increase',
  'increased',
  'increasing',
  'decrease',
  'decreased',
  'decreasing',
  'rise',
  'rising',
  'rose',
  'fall',
  'falling',
  'fell',
  'open',
  'opened',
  'close',
  'closed',
  'on',
  'off',
  'enabled',
  'disabled',
  'online',
  'offline',
  'healthy',
  'unhealthy',
  'available',
  'unavailable',
  'reachable',
  'unreachable',
  'succeeded',
  'failed',
  'success',
  'failure',
  'not',
  'no',
  'too',
  'many',
  'few',
  'more',
  'less',
  'fast',
  'slow',
  'allow',
  'allowed',
  'deny',
  'denied',
  'accept',
  'accepted',
  'reject',
  'rejected',
  'lost',
  'found',
  'missing',
  'read',
  'write',
  'in',
  'out',
  'inbound',
  'outbound',
  'ingress',
  'egress',
  'primary',
  'secondary',
  'master',
  'replica',
  'leader',
  'follower',
  'gained',
  'recovered',
]);

const buffer = new Uint32Array(signatureLength);

export function identify(
  alert: Alert,
  { protected_labels }: Pick<DedupConfig, 'protected_labels'>,
): Identity {
  const name = labelValue(alert.labels, 'alertname');
  const text =
    labelValue(alert.annotations, 'summary') ||
    labelValue(alert.annotations, 'description') ||
    name ||
    firstValue(alert);
  const { template, tokens } = maskText(text);
  signWords(tokens, buffer);
  const scope = [
    alert.domain,
    ...protected_labels.map((label) => labelValue(alert.labels, label)),
    ...directions(tokens),
  ];
  return { text, template, signature: [...buffer], scope: JSON.stringify(scope) };
}

/** A scope as a number, for the index: equal scopes have equal numbers. */
export function scopeNumber(scope: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < scope.length; i++) hash = Math.imul(hash ^ scope.charCodeAt(i), 0x01000193);
  return mix(hash);
}

/** The direction words of a text in their order, so that `from up to down` and `from down to up` differ too. */
function directions(tokens: readonly string[]): string[] {
  return tokens.filter((token) => directionWords.has(token));
}

function firstValue({ labels }: Alert): string {
  for (const [, value] of labelPairs(labels)) return value;
  return '';
}
