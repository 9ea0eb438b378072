import { readFile } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TocsinError } from '../engine/index.ts';
import { readScoreModel, type ModelManifest, type ModelTexts, type ScoreModel } from './model.ts';

const builtinFolder = fileURLToPath(new URL('../../models/alert-stream/', import.meta.url));

/** The folder of the model that `name` names: `builtin` is the one that comes with Tocsin, else a folder relative to `baseFolder`. */
export function modelFolder(name: string, baseFolder = '.'): string {
  if (name === 'builtin') return builtinFolder;
  return isAbsolute(name) ? name : resolve(baseFolder, name);
}

/** Reads the files of a model without judging them. Rejects with TOC_MODEL_UNREADABLE. */
export async function readModelTexts(folder: string): Promise<ModelTexts> {
  try {
    const [modelText, manifestText] = await Promise.all([
      readFile(join(folder, 'model.json'), 'utf8'),
      readFile(join(folder, 'manifest.json'), 'utf8'),
    ]);
    return { modelText, manifestText };
  } catch (cause) {
    throw new TocsinError('TOC_MODEL_UNREADABLE', `cannot read a model from ${folder}`, { cause });
  }
}

/**
 * Reads a model and its manifest from a folder. Rejects with TOC_MODEL_UNREADABLE when the files cannot be read, and with
 * TOC_MODEL_MISMATCH when they are not what they say: another hash than the manifest's, other features than this code computes, or not a
 * model at all.
 */
export async function openModel(
  folder: string,
): Promise<{ readonly model: ScoreModel; readonly manifest: ModelManifest }> {
  const outcome = readScoreModel(await readModelTexts(folder));
  if (outcome.ok) return outcome;
  throw new TocsinError('TOC_MODEL_MISMATCH', `the model in ${folder} is refused: ${outcome.why}`);
}

/**
 * Reads the model that `score.model` names: `none` gives null, anything else is found by `modelFolder`. Rejects as `openModel` does.
 */
export async function loadScoreModel(name: string, baseFolder = '.'): Promise<ScoreModel | null> {
  if (name === 'none') return null;
  return (await openModel(modelFolder(name, baseFolder))).model;
}
