import { z } from 'zod';
import { matchersSchema } from '../alert/index.ts';

/** A part of a key's text: what stands there as it is, or the value of a label. */
export type KeyPart = { readonly text: string } | { readonly label: string };

/** One of `dedup.keys`: alerts whose labels all `matchers` match are one thing when `key` comes out the same. */
export const keyRule = z.strictObject({
  /** Shown as the reason. */
  name: z.string().min(1),
  matchers: matchersSchema.prefault([]),
  /** A text with names of labels in braces, such as `{service}/{alertname}`. An alert that lacks one of them gets no key of this rule. */
  key: z.string().superRefine((text, context) => {
    const parts = parseKey(text);
    if (parts === null)
      context.addIssue({ code: 'custom', message: 'expected braces around names of labels' });
    else if (!parts.some((part) => 'label' in part))
      context.addIssue({
        code: 'custom',
        message: 'names no label, so that all alerts would be one: write {alertname} or the like',
      });
  }),
});

export type KeyRule = z.output<typeof keyRule>;

/** The parts of a key's text; null where braces do not pair, or hold nothing. */
export function parseKey(text: string): readonly KeyPart[] | null {
  const parts: KeyPart[] = [];
  for (const [index, piece] of text.split('{').entries()) {
    if (index === 0) {
      if (piece.includes('}')) return null;
      if (piece !== '') parts.push({ text: piece });
      continue;
    }
    const [label = '', after, ...more] = piece.split('}');
    if (label.trim() === '' || after === undefined || more.length > 0) return null;
    parts.push({ label: label.trim() });
    if (after !== '') parts.push({ text: after });
  }
  return parts;
}
