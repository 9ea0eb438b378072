import { z } from 'zod';

/**
 * An http or https URL of the configuration, without user and password: a URL is shown and logged. Without query and fragment where
 * `hasQuery` is false: what is called adds its own.
 */
export function urlSchema({ hasQuery }: { readonly hasQuery: boolean }): z.ZodType<string, string> {
  return z
    .url({ protocol: /^https?$/, error: 'expected an http or https URL' })
    .superRefine((text, context) => {
      if (!URL.canParse(text)) return;
      const { username, password, search, hash } = new URL(text);
      const refuse = (message: string): void => context.addIssue({ code: 'custom', message });
      if (username !== '' || password !== '') refuse('must hold no user and password');
      if (!hasQuery && (search !== '' || hash !== '')) refuse('must hold no query and no fragment');
    });
}
