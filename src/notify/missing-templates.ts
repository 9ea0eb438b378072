import { defaultTemplates, TemplateError, type Templates } from '../template/index.ts';
import type { ReceiversConfig } from './config.ts';

/**
 * Where receivers call templates that nothing defines, such as `receivers[0].slack_configs[0].title calls the template "mine"`. Their
 * pages would fail; Alertmanager takes such a configuration, and so this is no mistake.
 */
export function missingTemplates(receivers: ReceiversConfig, templates?: Templates): string[] {
  const texts = textsIn(receivers, 'receivers').filter(({ text }) => text.includes('{{'));
  if (texts.length === 0) return [];
  const all = templates ?? defaultTemplates();
  return texts.flatMap(({ path, text }) =>
    undefinedIn(all, text).map(
      (name) => `${path} calls the template ${JSON.stringify(name)}, which nothing defines.`,
    ),
  );
}

/** Some texts are none of a template, such as a password with braces; those that are have been parsed before. */
function undefinedIn(templates: Templates, text: string): string[] {
  try {
    return templates.undefinedIn(text);
  } catch (error) {
    if (error instanceof TemplateError) return [];
    throw error;
  }
}

function textsIn(value: unknown, path: string): { readonly path: string; readonly text: string }[] {
  if (typeof value === 'string') return [{ path, text: value }];
  if (Array.isArray(value)) return value.flatMap((item, index) => textsIn(item, `${path}[${index}]`));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => textsIn(item, `${path}.${key}`));
}
