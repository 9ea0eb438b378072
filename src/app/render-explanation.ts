import { styleText } from 'node:util';
import { formatDuration, plainText } from '../alert/index.ts';

/** Prints an explanation as an indented outline: a reason and a label set are one line each, empty parts are left out, times are readable. */
export function renderExplanation(value: unknown): string {
  return lines(value, 0).join('\n');
}

function lines(value: unknown, depth: number): string[] {
  const indent = '  '.repeat(depth);
  if (Array.isArray(value)) return value.flatMap((element: unknown) => listItem(element, depth));
  if (typeof value !== 'object' || value === null) return [`${indent}${scalar('', value)}`];
  return Object.entries(value).flatMap(([name, part]: [string, unknown]) => {
    if (isEmpty(part)) return [];
    const label = styleText('bold', shown(name.replace(/Ms$/, '')));
    if (name === 'labels' || name === 'annotations') return [`${indent}${label}: ${labelLine(part)}`];
    return isScalar(part)
      ? [`${indent}${label}: ${scalar(name, part)}`]
      : [`${indent}${label}:`, ...lines(part, depth + 1)];
  });
}

function listItem(element: unknown, depth: number): string[] {
  const indent = '  '.repeat(depth);
  if (isReason(element)) return [`${indent}- ${reasonLine(element)}`];
  return isScalar(element)
    ? [`${indent}- ${scalar('', element)}`]
    : [`${indent}-`, ...lines(element, depth + 1)];
}

function isScalar(value: unknown): boolean {
  return typeof value !== 'object' || value === null;
}

function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

function scalar(name: string, value: unknown): string {
  if (name.endsWith('AtMs') && typeof value === 'number') return new Date(value).toISOString();
  if (name.endsWith('Ms') && typeof value === 'number')
    return value < longestDurationMs ? formatDuration(value) : new Date(value).toISOString();
  return typeof value === 'number' && !Number.isInteger(value) ? value.toFixed(3) : shown(String(value));
}

/** Ten years: what is more is a time since 1970. */
const longestDurationMs = 315_360_000_000;

interface ShownReason {
  readonly stage: string;
  readonly text: string;
  readonly weight?: number;
}

function isReason(value: unknown): value is ShownReason {
  return (
    typeof value === 'object' && value !== null && 'stage' in value && 'code' in value && 'text' in value
  );
}

function reasonLine({ stage, text, weight }: ShownReason): string {
  return `${shown(text)}${styleText('dim', weight === undefined ? ` (${stage})` : ` (${stage}, ${weight.toFixed(2)})`)}`;
}

function labelLine(labels: unknown): string {
  return Object.entries(labels ?? {})
    .map(([name, value]) => `${shown(name)}=${shown(JSON.stringify(value))}`)
    .join(' ');
}

const maxShownLength = 2000;

/** What comes from outside may hold escape sequences. */
function shown(text: string): string {
  return plainText(text, maxShownLength);
}
