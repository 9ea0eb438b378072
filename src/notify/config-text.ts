import { z } from 'zod';
import { durationSchema } from '../alert/index.ts';
import { TemplateError, Templates } from '../template/index.ts';
import { httpConfig } from './config-http.ts';

/** A text with actions. Names of templates are looked up when it is rendered; all else is checked here. */
export const templated = z.string().superRefine((text, context) => {
  try {
    Templates.empty.check(text);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    context.addIssue({ code: 'custom', message: error.message });
  }
});

/** A templated text that is empty unless said. */
export const optionalText = templated.default('');

export const fileName = z.string().min(1);

export const httpUrl = z.url({ protocol: /^https?$/, error: 'expected an http or https URL' });

export const timeout = durationSchema.refine((ms) => ms > 0, 'must be more than zero').prefault('10s');

/** What all integrations have. */
export const telling = (sendResolved: boolean) => ({
  /** Tell it of alerts that have resolved. */
  send_resolved: z.boolean().default(sendResolved),
  /**
   * `changed`: only alerts that began to fire or have resolved since it was told of the group last, and how many fire on; all of them when
   * nothing has changed and the repeat interval has elapsed.
   */
  alerts: z.enum(['all', 'changed']).default('all'),
});

/** What all integrations over HTTP have. Without an `http_config` of its own one has the global one. */
export const overHttp = {
  http_config: httpConfig.optional(),
  /** For one attempt. */
  timeout,
};
