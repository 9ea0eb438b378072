/** The value of a place, such as `incident.id`; undefined when there is none. */
export type TemplateValue = (name: string) => string | undefined;

export type TemplateOutcome =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly error: string };

/** Turns a value into the text that stands in its place, or says why it must not stand there. */
export type Encode = (value: string) => TemplateOutcome;

/**
 * Fills `{{ name }}` places. One pass, in linear time; values are never read as templates themselves. A place without a value is an
 * error outcome, never an empty text: `DELETE /pods/` is another request than `DELETE /pods/web-1`.
 */
export function fillTemplate(template: string, value: TemplateValue, encode: Encode): TemplateOutcome {
  let text = '';
  let position = 0;
  for (;;) {
    const open = template.indexOf('{{', position);
    if (open < 0) return { ok: true, text: text + template.slice(position) };
    const close = template.indexOf('}}', open + 2);
    if (close < 0) return { ok: false, error: 'a place {{ is not closed' };
    const name = template.slice(open + 2, close).trim();
    const found = value(name);
    if (found === undefined || found === '')
      return { ok: false, error: `there is no value for {{ ${name} }}` };
    const encoded = encode(found);
    if (!encoded.ok) return { ok: false, error: `the value of {{ ${name} }} ${encoded.error}` };
    text += template.slice(position, open) + encoded.text;
    position = close + 2;
  }
}

/** What is wrong with a template before any value is known; null when nothing is. */
export function findTemplateMistake(template: string): string | null {
  const unknown = 'only {{ incident.id }}, {{ incident.service }} and {{ labels.<name> }} are known';
  const outcome = fillTemplate(template, (name) => (isKnown(name) ? 'x' : undefined), asIs);
  return outcome.ok ? null : `${outcome.error}: ${unknown}`;
}

function isKnown(name: string): boolean {
  return name === 'incident.id' || name === 'incident.service' || /^labels\.[^\s{}]+$/.test(name);
}

export const asIs: Encode = (value) => ({ ok: true, text: value });

/** One path segment, query value or form value. Only-dots is refused: URLs resolve `..` even where it is percent-encoded. */
export const encodeForUrl: Encode = (value) =>
  value === '.' || value === '..'
    ? { ok: false, error: `is ${JSON.stringify(value)}, which leads elsewhere in a URL` }
    : { ok: true, text: encodeURIComponent(value.toWellFormed()) };

/** The inside of a JSON string. */
export const encodeForJson: Encode = (value) => ({
  ok: true,
  text: JSON.stringify(value.toWellFormed()).slice(1, -1),
});
