import { crossCheck } from './config-checks.ts';
import { ConfigDocument, inOrder, type ConfigMistake } from './config-document.ts';
import { tocsinConfig, type TocsinConfig } from './config-schema.ts';

export type ConfigOutcome =
  | { readonly ok: true; readonly config: TocsinConfig }
  | { readonly ok: false; readonly mistakes: readonly ConfigMistake[] };

/** Reads and checks a whole configuration. Reports every mistake at once; touches nothing outside of `text`. */
export function parseConfig(text: string): ConfigOutcome {
  const document = new ConfigDocument(text);
  const syntaxMistakes = document.syntaxMistakes();
  if (syntaxMistakes.length > 0) return { ok: false, mistakes: syntaxMistakes };
  const given = document.value();
  const result = tocsinConfig.safeParse(given);
  if (!result.success) return { ok: false, mistakes: inOrder(document.mistakesOf(result.error.issues)) };
  const { data: config } = result;
  const mistakes = [
    ...crossCheck(config).map(({ path, message }) => document.mistakeAt(path, message)),
    ...(config.alertmanager === undefined ? [] : doubleSections(document, given)),
  ];
  return mistakes.length > 0 ? { ok: false, mistakes: inOrder(mistakes) } : { ok: true, config };
}

/** What the file named by `alertmanager` says must not be said here too. */
const sectionsOfAlertmanager = [
  'route',
  'receivers',
  'templates',
  'inhibit_rules',
  'time_intervals',
  'dispatch',
] as const;

function doubleSections(document: ConfigDocument, given: unknown): ConfigMistake[] {
  return sectionsOfAlertmanager
    .filter((section) => Object.hasOwn(given as object, section))
    .map((section) => document.mistakeAt([section], 'stands in the file that `alertmanager` names', true));
}
