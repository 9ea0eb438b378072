import { styleText } from 'node:util';

/** Prints an explanation as an indented outline; empty parts are left out, times are readable. */
export function renderExplanation(value: unknown): string {
  return lines(value, 0).join('\n');
}

function lines(value: unknown, depth: number): string[] {
  const indent = '  '.repeat(depth);
  if (Array.isArray(value)) {
    return value.flatMap((element: unknown) =>
      isScalar(element)
        ? [`${indent}- ${scalar('', element)}`]
        : [`${indent}-`, ...lines(element, depth + 1)],
    );
  }
  if (typeof value !== 'object' || value === null) return [`${indent}${scalar('', value)}`];
  return Object.entries(value).flatMap(([name, part]: [string, unknown]) => {
    if (isEmpty(part)) return [];
    const label = styleText('bold', name.replace(/Ms$/, ''));
    return isScalar(part)
      ? [`${indent}${label}: ${scalar(name, part)}`]
      : [`${indent}${label}:`, ...lines(part, depth + 1)];
  });
}

function isScalar(value: unknown): boolean {
  return typeof value !== 'object' || value === null;
}

function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

function scalar(name: string, value: unknown): string {
  if (name.endsWith('Ms') && typeof value === 'number') return new Date(value).toISOString();
  return typeof value === 'number' && !Number.isInteger(value) ? value.toFixed(3) : String(value);
}
