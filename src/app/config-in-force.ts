import { stringify } from 'yaml';
import { TocsinError } from '../engine/index.ts';
import type { ConfigEntry } from '../incident/index.ts';
import { loadConfig, requireConfig, type ConfigFiles, type LoadedConfig } from './config-file.ts';
import type { TocsinConfig } from './config-schema.ts';
import type { Logger } from './logger.ts';
import { changedUntilRestart } from './restart-only.ts';
import { createConfigPayload } from './scorer.ts';
import { readableConfig } from './shown-config.ts';

export interface ConfigSource extends ConfigFiles {
  /** What the command line says against the configuration. */
  readonly override?: (config: TocsinConfig) => TocsinConfig;
}

/** A configuration that is about to be in force, and what the log is told of it. */
export type NextConfig = Pick<LoadedConfig, 'config' | 'templates'> & {
  readonly payload: ConfigEntry['payload'];
};

export type ReloadOutcome = { ok: true } | { ok: false; errors: readonly string[] };

/** The configuration that the process runs under, as its files said when they were loaded last. */
export class ConfigInForce {
  readonly #source: ConfigSource;
  readonly #logger: Logger;
  readonly #nowMs: () => number;
  #loaded: LoadedConfig;
  #text: string | null = null;
  #isLastReloadSuccessful = true;
  #succeededMs: number;

  private constructor(source: ConfigSource, loaded: LoadedConfig, logger: Logger, nowMs: () => number) {
    this.#source = source;
    this.#loaded = loaded;
    this.#logger = logger;
    this.#nowMs = nowMs;
    this.#succeededMs = nowMs();
  }

  /** Rejects with TOC_CONFIG_INVALID and TOC_CONFIG_UNREADABLE. */
  static async load(source: ConfigSource, logger: Logger, nowMs: () => number): Promise<ConfigInForce> {
    const loaded = overridden(source, await requireConfig(source));
    for (const warning of loaded.warnings) logger.warn(warning);
    return new ConfigInForce(source, loaded, logger, nowMs);
  }

  get config(): TocsinConfig {
    return this.#loaded.config;
  }

  get templates(): LoadedConfig['templates'] {
    return this.#loaded.templates;
  }

  get reloads(): { readonly isSuccessful: boolean; readonly succeededMs: number } {
    return { isSuccessful: this.#isLastReloadSuccessful, succeededMs: this.#succeededMs };
  }

  /** As YAML, without secrets. */
  get text(): string {
    return (this.#text ??= this.#loaded.alertmanagerText ?? stringify(readableConfig(this.config)));
  }

  /** What the log is told of it. Rejects with TOC_MODEL_UNREADABLE or TOC_MODEL_MISMATCH. */
  payload(): Promise<ConfigEntry['payload']> {
    return createConfigPayload(this.config, this.#source.configFile);
  }

  /** Loads the files again, and lets `apply` put them to use. A file with mistakes changes nothing. */
  async reload(apply: (next: NextConfig) => Promise<void>): Promise<ReloadOutcome> {
    const outcome = await this.#loadAgain(apply);
    this.#isLastReloadSuccessful = outcome.ok;
    if (outcome.ok) this.#succeededMs = this.#nowMs();
    else this.#logger.error({ errors: outcome.errors }, 'The configuration was not loaded: it has mistakes.');
    return outcome;
  }

  async #loadAgain(apply: (next: NextConfig) => Promise<void>): Promise<ReloadOutcome> {
    const outcome = await loadConfig(this.#source);
    if (!outcome.ok) return outcome;
    const next = overridden(this.#source, outcome);
    try {
      const payload = await createConfigPayload(next.config, this.#source.configFile);
      await apply({ config: next.config, templates: next.templates, payload });
    } catch (error) {
      if (error instanceof TocsinError) return { ok: false, errors: [error.message] };
      throw error;
    }
    const later = changedUntilRestart(this.config, next.config);
    if (later.length > 0)
      this.#logger.warn(
        { settings: later },
        'These settings have changed and take effect with the next start.',
      );
    this.#loaded = next;
    this.#text = null;
    for (const warning of next.warnings) this.#logger.warn(warning);
    this.#logger.info('The configuration was loaded again.');
    return { ok: true };
  }
}

function overridden({ override }: ConfigSource, loaded: LoadedConfig): LoadedConfig {
  return override ? { ...loaded, config: override(loaded.config) } : loaded;
}
