import { plainText } from '../../alert/index.ts';
import {
  surpriseBands,
  type ModelManifest,
  type ModelsView,
  type ModelView,
  type ShadowReport,
} from '../../score/index.ts';
import type { ModelComparison, PageDifference } from './compare-models.ts';

const shownDifferences = 20;

/** One line of a list of models. */
export function renderManifest(folder: string, manifest: ModelManifest): string {
  const { model_sha256, clusters, data_from, data_until, training_rows, code_version } = manifest;
  const range = `${data_from.slice(0, 10)} to ${data_until.slice(0, 10)}`;
  return `${folder}  ${model_sha256.slice(0, 12)}  ${clusters} clusters  ${training_rows} behaviours of ${range}  ${code_version}`;
}

/** What a server says of its models, a partition after the other. */
export function renderModels(views: readonly (ModelsView & { readonly partition?: number })[]): string {
  return views
    .map((view) => {
      const { partition, active, candidate, shadow, drift } = view;
      const lines = [
        ...(partition === undefined ? [] : [`partition ${partition}`]),
        `in force   ${describeModel(active)}`,
        `beside it  ${describeModel(candidate)}`,
        ...(shadow ? renderShadow(shadow) : []),
        `drift      ${drift.state}, ${Math.round(drift.periods)} scored periods` +
          (drift.state === 'learning' ? ` of the ${drift.periodsNeeded} needed` : ''),
        ...drift.features
          .slice(0, 3)
          .map(({ name, stabilityIndex }) => `           ${name}: stability index ${stabilityIndex}`),
        ...(drift.periods > 0
          ? [`           novel ${percent(drift.novelShare)}, calibration error ${drift.calibrationError}`]
          : []),
        ...drift.reasons.map((reason) => `           ${reason}`),
      ];
      return lines.join('\n');
    })
    .join('\n\n');
}

/** Pages and priorities that another model would have changed. */
export function renderComparison({
  pagesBefore,
  pagesAfter,
  gained,
  lost,
  priorities,
}: ModelComparison): string {
  return [
    `pages      ${pagesBefore} before, ${pagesAfter} after`,
    `gained     ${countPages(gained)}`,
    ...gained.slice(0, shownDifferences).map(renderDifference),
    `lost       ${countPages(lost)}`,
    ...lost.slice(0, shownDifferences).map(renderDifference),
    `priorities ${priorities.length} incidents with another one`,
    ...priorities
      .slice(0, shownDifferences)
      .map(
        ({ incidentId, title, before, after }) =>
          `           ${incidentId}: ${before} -> ${after} ${plainText(title, 200)}`,
      ),
  ].join('\n');
}

/** In what two models differ, line by line. */
export function renderManifestDifference(a: ModelManifest, b: ModelManifest): string {
  const keys = Object.keys({ ...a, ...b }) as (keyof ModelManifest)[];
  const lines = keys.flatMap((key) => {
    const [before, after] = [JSON.stringify(a[key]), JSON.stringify(b[key])];
    return before === after ? [] : [`${key}: ${before} -> ${after}`];
  });
  return lines.length === 0 ? 'the models are the same' : lines.join('\n');
}

function renderShadow({
  scored,
  raised,
  lowered,
  meanDifference,
  sinceMs,
  bands,
  examples,
}: ShadowReport): string[] {
  const names = surpriseBands.map((from) => `from ${from}`);
  return [
    `           since ${new Date(sinceMs).toISOString()}: ${scored} scores, ${raised} would count more and ${lowered} less; mean difference ${meanDifference}`,
    ...bands.flatMap((row, from) =>
      row.flatMap((count, to) =>
        from === to || count === 0 ? [] : [`           surprise ${names[from]} -> ${names[to]}: ${count}`],
      ),
    ),
    ...examples
      .slice(-3)
      .map(
        ({ kind, domain, atMs, active, candidate }) =>
          `           ${new Date(atMs).toISOString()} ${plainText(domain, 100)}/${plainText(kind, 100)}: ${active} -> ${candidate}`,
      ),
  ];
}

function describeModel(model: ModelView | null): string {
  if (!model) return 'none';
  const chosen =
    model.by === null || model.sinceMs === null
      ? 'named by the configuration'
      : `chosen by ${plainText(model.by, 200)} at ${new Date(model.sinceMs).toISOString()}`;
  return `${plainText(model.name, 200)} ${model.hash.slice(0, 12)}, ${chosen}`;
}

function renderDifference({ of, receiver, before, after }: PageDifference): string {
  return `           ${plainText(of, 200)} to ${plainText(receiver, 200)}: ${before} -> ${after}`;
}

function countPages(differences: readonly PageDifference[]): string {
  const count = differences.reduce((total, { before, after }) => total + Math.abs(after - before), 0);
  return `${count} page${count === 1 ? '' : 's'}`;
}

function percent(share: number): string {
  return `${Math.round(1000 * share) / 10} %`;
}
