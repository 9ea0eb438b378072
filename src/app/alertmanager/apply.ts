import type { TocsinConfig } from '../config-schema.ts';
import type { AlertmanagerSections } from './config.ts';

/** No sender can give a label this name: it holds a NUL. */
const noLabel = '\0domain';

/**
 * The configuration under which Tocsin notifies as Alertmanager would. History, correlation and triage go on beside it; what they find is
 * in the API and in the body of webhooks, and neither holds a notification back nor makes one.
 */
export function applyAlertmanager(base: TocsinConfig, sections: AlertmanagerSections): TocsinConfig {
  const { resolveTimeoutMs, globals, ...others } = sections;
  return {
    ...base,
    ...others,
    global: { ...base.global, ...globals, resolve_timeout: resolveTimeoutMs },
    // In Alertmanager `domain` is a label like any other: it parts nothing.
    source: { ...base.source, domain_label: noLabel },
    dispatch: { ...base.dispatch, strict_alertmanager: true },
  };
}
