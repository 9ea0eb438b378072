import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TocsinError } from '../engine/index.ts';
import { behaviourFeatures } from './matrix.ts';
import { fitsFeatures, modelFile, modelManifest, type ScoreModel } from './model.ts';

const builtinFolder = fileURLToPath(new URL('../../models/alert-stream/', import.meta.url));

/**
 * Reads the model that `score.model` names: `none` gives null, `builtin` the one that comes with Tocsin, anything else
 * is a folder (relative to `baseFolder`) with `model.json` and `manifest.json`.
 * Rejects with TOC_MODEL_UNREADABLE when the files cannot be read, and with TOC_MODEL_MISMATCH when they are not what
 * they say: another hash than the manifest's, other features than this code computes, or not a model at all.
 */
export async function loadScoreModel(name: string, baseFolder = '.'): Promise<ScoreModel | null> {
  if (name === 'none') return null;
  const folder = name === 'builtin' ? builtinFolder : isAbsolute(name) ? name : resolve(baseFolder, name);
  const [modelText, manifestText] = await readFiles(folder);
  const manifest = modelManifest.safeParse(parseJson(manifestText));
  if (!manifest.success) throw mismatch(folder, 'manifest.json is not a manifest', manifest.error);
  const hash = sha256(modelText);
  if (hash !== manifest.data.model_sha256) {
    throw mismatch(folder, `model.json has SHA-256 ${hash}, its manifest says ${manifest.data.model_sha256}`);
  }
  const model = modelFile.safeParse(parseJson(modelText));
  if (!model.success) throw mismatch(folder, 'model.json is not a model', model.error);
  for (const features of [model.data.features, manifest.data.features]) {
    if (!fitsFeatures(features)) {
      throw mismatch(
        folder,
        `it was trained on the features ${features.join(', ')}; this version computes ${behaviourFeatures.join(', ')}`,
      );
    }
  }
  return { ...model.data, hash };
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

async function readFiles(folder: string): Promise<[string, string]> {
  try {
    return await Promise.all([
      readFile(join(folder, 'model.json'), 'utf8'),
      readFile(join(folder, 'manifest.json'), 'utf8'),
    ]);
  } catch (cause) {
    throw new TocsinError('TOC_MODEL_UNREADABLE', `cannot read a model from ${folder}`, { cause });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function mismatch(folder: string, why: string, cause?: unknown): TocsinError {
  return new TocsinError('TOC_MODEL_MISMATCH', `the model in ${folder} is refused: ${why}`, { cause });
}
