import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { behaviourFeatures, loadScoreModel, modelManifest, sha256 } from '../../src/score/index.ts';
import { formatPeriods, parsePeriods } from '../../models/periods.ts';
import { generateQuietWeeks } from '../../models/quiet-weeks.ts';
import { trainBuiltin } from '../../models/train-builtin.ts';

const builtin = join(import.meta.dirname, '../../models/alert-stream');
const fixture = join(import.meta.dirname, '../../fixtures/training/quiet-weeks.csv');
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tocsin-model-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function readJson(file: string): Record<string, unknown> {
  return JSON.parse(readFileSync(join(folder, file), 'utf8')) as Record<string, unknown>;
}

/** Changes `model.json` and lets the manifest follow, so that only the content is wrong. */
function rewriteModel(change: Readonly<Record<string, unknown>>): void {
  const text = JSON.stringify({ ...readJson('model.json'), ...change });
  writeFileSync(join(folder, 'model.json'), text);
  writeFileSync(
    join(folder, 'manifest.json'),
    JSON.stringify({ ...readJson('manifest.json'), model_sha256: sha256(text) }),
  );
}

describe('training', () => {
  test('gives the committed model, manifest and card, bit for bit', () => {
    trainBuiltin(folder);
    for (const file of ['model.json', 'manifest.json', 'MODEL_CARD.md']) {
      expect(readFileSync(join(folder, file), 'utf8'), file).toBe(readFileSync(join(builtin, file), 'utf8'));
    }
  });

  test('reads data that the committed generator gives, byte for byte', () => {
    const periods = generateQuietWeeks({ seed: 20_260_105, fromMs: Date.UTC(2026, 0, 5), weeks: 4 });
    const text = formatPeriods(periods);
    expect(sha256(text)).toBe(sha256(readFileSync(fixture, 'utf8')));
    expect(parsePeriods(text)).toEqual(periods);
  });
});

describe('a model', () => {
  beforeEach(() => cpSync(builtin, folder, { recursive: true }));

  test('that comes with Tocsin is what its manifest says', async () => {
    const model = (await loadScoreModel('builtin'))!;
    const manifest = modelManifest.parse(readJson('manifest.json'));
    expect(model.hash).toBe(manifest.model_sha256);
    expect(model.features).toEqual(behaviourFeatures);
    expect(model.centroids).toHaveLength(manifest.clusters);
    expect(manifest.data_sha256).toBe(sha256(readFileSync(fixture, 'utf8')));
  });

  test('in a folder is read from there, relative to the configuration', async () => {
    expect(await loadScoreModel('.', folder)).toEqual(await loadScoreModel('builtin'));
    expect(await loadScoreModel('none')).toBeNull();
  });

  test('that was changed after training is refused', async () => {
    writeFileSync(join(folder, 'model.json'), `${readFileSync(join(folder, 'model.json'), 'utf8')} `);
    await expect(loadScoreModel(folder)).rejects.toMatchObject({ code: 'TOC_MODEL_MISMATCH' });
  });

  test('that was trained on other features is refused', async () => {
    rewriteModel({ features: behaviourFeatures.toReversed() });
    await expect(loadScoreModel(folder)).rejects.toMatchObject({ code: 'TOC_MODEL_MISMATCH' });
  });

  test('that is no model is refused', async () => {
    rewriteModel({ centroids: [[1, 2]] });
    await expect(loadScoreModel(folder)).rejects.toMatchObject({ code: 'TOC_MODEL_MISMATCH' });
  });

  test('without a readable manifest is refused', async () => {
    writeFileSync(join(folder, 'manifest.json'), 'not JSON');
    await expect(loadScoreModel(folder)).rejects.toMatchObject({ code: 'TOC_MODEL_MISMATCH' });
    rmSync(join(folder, 'manifest.json'));
    await expect(loadScoreModel(folder)).rejects.toMatchObject({ code: 'TOC_MODEL_UNREADABLE' });
  });
});
