import { readModelTexts, modelFolder, sha256, type ModelTexts } from '../../src/score/index.ts';

/** The files of the model that comes with Tocsin. */
export const builtinTexts = await readModelTexts(modelFolder('builtin'));

/** The model that comes with Tocsin with other content; its manifest follows, unless it is changed too. */
export function changedTexts(
  model: Readonly<Record<string, unknown>>,
  manifest: Readonly<Record<string, unknown>> = {},
): ModelTexts {
  const changed = { ...(JSON.parse(builtinTexts.modelText) as object), ...model };
  const modelText = JSON.stringify(changed);
  const manifestText = JSON.stringify({
    ...(JSON.parse(builtinTexts.manifestText) as object),
    model_sha256: sha256(modelText),
    ...manifest,
  });
  return { modelText, manifestText };
}

/** A model whose data were received: its drift is watched. */
export const ownTexts = changedTexts({ name: 'own', generated: false });
