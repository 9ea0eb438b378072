/** Writes the training data, the same bytes each time: `node models/generate-training.ts`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { formatPeriods } from './periods.ts';
import { generateQuietWeeks } from './quiet-weeks.ts';

const folder = fileURLToPath(new URL('../fixtures/training/', import.meta.url));
mkdirSync(folder, { recursive: true });
const periods = generateQuietWeeks({ seed: 20_260_105, fromMs: Date.UTC(2026, 0, 5), weeks: 4 });
writeFileSync(`${folder}quiet-weeks.csv`, formatPeriods(periods));
console.log(`${periods.length} periods written to fixtures/training/quiet-weeks.csv`);
