/**
 * Trains the model that comes with Tocsin: `npm run train [-- output folder]`. Reads fixtures/training/quiet-weeks.csv, writes model.json,
 * manifest.json and MODEL_CARD.md. The same data and code give the same bytes. For models of other data see `tocsin train`.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parsePeriods } from './periods.ts';
import { generateQuietWeeks } from './quiet-weeks.ts';
import { trainModel } from './train.ts';

const name = 'alert-stream';
const root = fileURLToPath(new URL('..', import.meta.url));

/** Trains and writes into `folder`. */
export function trainBuiltin(folder: string): void {
  const data = 'fixtures/training/quiet-weeks.csv';
  const periods = parsePeriods(readFileSync(join(root, data), 'utf8'));
  const other = generateQuietWeeks({ seed: 77, fromMs: Date.UTC(2026, 2, 2), weeks: 3 });
  const { modelText, manifestText, cardText } = trainModel(periods, { name, data, isGenerated: true, other });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'model.json'), modelText);
  writeFileSync(join(folder, 'manifest.json'), manifestText);
  writeFileSync(join(folder, 'MODEL_CARD.md'), cardText);
}

if (import.meta.main) {
  const folder = process.argv[2] ?? join(root, 'models', name);
  trainBuiltin(folder);
  console.log(`model written to ${folder}`);
}
