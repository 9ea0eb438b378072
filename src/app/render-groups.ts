import { styleText } from 'node:util';
import { plainText } from '../alert/index.ts';
import type { LineGroups } from './group-lines.ts';

const width = 80;
const countWidth = 9;
const mostLines = 3;

/** Groups by size with their templates, in 80 columns. */
export function renderGroups(
  { groups, lineCount, badLineCount, format }: LineGroups,
  mostShown: number,
): string {
  const shown = groups.slice(0, mostShown);
  const what = format === 'ndjson' ? 'alert' : 'line';
  const lines = [
    `${counted(lineCount, what)} in ${counted(groups.length, 'group')}${reduction(lineCount, groups.length)}`,
    '',
    styleText('bold', `${'size'.padStart(countWidth)}  template`),
    ...shown.flatMap(({ group, count }) =>
      wrapped(plainText(group.template)).map(
        (line, i) => `${(i === 0 ? number(count) : '').padStart(countWidth)}  ${line}`,
      ),
    ),
  ];
  if (shown.length === 0) lines.splice(1);
  if (groups.length > shown.length) {
    const rest = groups.slice(mostShown).reduce((sum, { count }) => sum + count, 0);
    lines.push(
      `${number(rest).padStart(countWidth)}  in ${counted(groups.length - shown.length, 'smaller group')}; --all shows them`,
    );
  }
  if (badLineCount > 0) lines.push('', `${counted(badLineCount, 'line')} could not be read`);
  return lines.join('\n');
}

/** Breaks a template at spaces; what does not fit on three lines is cut. */
function wrapped(text: string): string[] {
  const room = width - countWidth - 2;
  const lines: string[] = [];
  let rest = text.trim();
  while (rest.length > room && lines.length < mostLines - 1) {
    const space = rest.lastIndexOf(' ', room);
    const end = space > room / 2 ? space : room;
    lines.push(rest.slice(0, end));
    rest = rest.slice(end).trimStart();
  }
  return [...lines, rest.length > room ? `${rest.slice(0, room - 1)}…` : rest];
}

function counted(count: number, noun: string): string {
  return `${number(count)} ${noun}${count === 1 ? '' : 's'}`;
}

function number(count: number): string {
  return count.toLocaleString('en');
}

function reduction(lines: number, groups: number): string {
  return lines === 0 ? '' : ` (${(100 * (1 - groups / lines)).toFixed(1)} % fewer)`;
}
