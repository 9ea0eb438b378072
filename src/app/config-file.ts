import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { TocsinError } from '../engine/index.ts';
import { missingTemplates } from '../notify/index.ts';
import { loadTemplates, type Templates } from '../template/index.ts';
import { applyAlertmanager } from './alertmanager/apply.ts';
import { parseAlertmanagerConfig } from './alertmanager/config.ts';
import { configWarnings, crossCheck } from './config-checks.ts';
import { formatMistake } from './config-document.ts';
import type { TocsinConfig } from './config-schema.ts';
import { parseConfig } from './config.ts';

/** The files that make a configuration. Without any the built-in defaults hold: pages go to the console. */
export interface ConfigFiles {
  readonly configFile?: string;
  /** An Alertmanager configuration, for `route`, `receivers` and what belongs to them. */
  readonly alertmanagerFile?: string;
}

export interface LoadedConfig {
  readonly config: TocsinConfig;
  /** What people should know of it, though nothing is wrong. */
  readonly warnings: readonly string[];
  /** Those that the configuration names; undefined where it names none. */
  readonly templates: Templates | undefined;
  /** The Alertmanager configuration in Alertmanager's own words, without secrets; null where there is none. */
  readonly alertmanagerText: string | null;
}

export type LoadOutcome =
  | ({ readonly ok: true } & LoadedConfig)
  /** Each error begins with file, line and column. */
  | { readonly ok: false; readonly errors: readonly string[] };

/** Reads and checks configuration files. Rejects with TOC_CONFIG_UNREADABLE when there is no such file to read. */
export async function loadConfig(files: ConfigFiles): Promise<LoadOutcome> {
  const { configFile } = files;
  const text = configFile === undefined ? '' : await readConfigText(configFile);
  // What a write that was cut off leaves behind must not end all paging.
  if (configFile !== undefined && text.trim() === '')
    return { ok: false, errors: [`${configFile}:1:1: the file is empty`] };
  const own = parseConfig(text);
  if (!own.ok)
    return { ok: false, errors: own.mistakes.map((mistake) => formatMistake(configFile ?? '', mistake)) };
  const file = files.alertmanagerFile ?? namedIn(own.config, configFile);
  if (file === undefined)
    return withTemplates(
      { config: own.config, warnings: configWarnings(own.config, text), alertmanagerText: null },
      configFile,
    );

  const parsed = parseAlertmanagerConfig(await readConfigText(file), dirname(file));
  if (!parsed.ok)
    return { ok: false, errors: parsed.mistakes.map((mistake) => formatMistake(file, mistake)) };
  const config = applyAlertmanager(own.config, parsed.sections);
  const mistakes = crossCheck(config).map(({ path, message }) => parsed.mistakeAt(path, message));
  if (mistakes.length > 0)
    return { ok: false, errors: mistakes.map((mistake) => formatMistake(file, mistake)) };
  const warnings = [...configWarnings(own.config, ''), ...parsed.warnings];
  return withTemplates({ config, warnings, alertmanagerText: parsed.text }, file);
}

/** Loads the template files; those that a pattern finds lie beside `file`. */
async function withTemplates(
  loaded: Omit<LoadedConfig, 'templates'>,
  file: string | undefined,
): Promise<LoadOutcome> {
  const { templates: globs } = loaded.config;
  if (globs.length === 0) return warned({ ...loaded, templates: undefined });
  try {
    const templates = await loadTemplates(globs, file === undefined ? '.' : dirname(file));
    return warned({ ...loaded, templates });
  } catch (error) {
    if (!(error instanceof TocsinError)) throw error;
    return { ok: false, errors: [error.message] };
  }
}

function warned(loaded: LoadedConfig): LoadOutcome {
  const missing = missingTemplates(loaded.config.receivers, loaded.templates);
  return { ok: true, ...loaded, warnings: [...loaded.warnings, ...missing] };
}

/** As `loadConfig`, but rejects with TOC_CONFIG_INVALID, which lists every mistake, when a file is not fine. */
export async function requireConfig(files: ConfigFiles): Promise<LoadedConfig> {
  const outcome = await loadConfig(files);
  if (outcome.ok) return outcome;
  throw new TocsinError('TOC_CONFIG_INVALID', outcome.errors.join('\n'));
}

async function readConfigText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new TocsinError('TOC_CONFIG_UNREADABLE', `cannot read the configuration file ${file}`, { cause });
  }
}

function namedIn({ alertmanager }: TocsinConfig, configFile = ''): string | undefined {
  return alertmanager === undefined ? undefined : join(dirname(configFile), alertmanager);
}
