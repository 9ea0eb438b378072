import { createHash } from 'node:crypto';
import type { Notification } from '../incident/index.ts';
import { templateData, type Templates } from '../template/index.ts';
import { whyOf } from './wire.ts';

/** What integrations with templated texts share. */
export interface PageSource {
  readonly templates: Templates;
  readonly externalUrl: string;
}

/** A notification whose texts are to be rendered. Both reject (throw) TOC_TEMPLATE_FAILED: to try again would be no use. */
export interface Page {
  readonly text: (template: string) => string;
  /** Escapes what actions write, as html/template. */
  readonly html: (template: string) => string;
}

export function pageOf({ templates, externalUrl }: PageSource, id: string, notification: Notification): Page {
  const data = templateData(notification, { id, externalUrl, why: whyOf(notification) });
  return {
    text: (template) => templates.renderText(template, data),
    html: (template) => templates.renderHtml(template, data),
  };
}

/** By what a vendor recognizes the messages of one group: Alertmanager's hash of the group key (notify/util.go). */
export function groupHash({ groupKey }: Notification): string {
  return createHash('sha256').update(groupKey).digest('hex');
}

/** At most so many characters (code points), the last of which is `…` where some were cut (notify/util.go, TruncateInRunes). */
export function truncate(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  const characters = Array.from(text);
  if (characters.length <= maxLength) return text;
  return maxLength <= 3
    ? characters.slice(0, maxLength).join('')
    : `${characters.slice(0, maxLength - 1).join('')}…`;
}

/** The object without what is empty, as Go's `omitempty` leaves it out. */
export function withoutEmpty(object: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(object).filter(
      ([, value]) =>
        value !== '' &&
        value !== false &&
        value !== undefined &&
        !(Array.isArray(value) && value.length === 0),
    ),
  );
}
