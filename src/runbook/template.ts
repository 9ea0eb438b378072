/** Values for the places of a template. */
export type TemplateValue = (name: string) => string;

/**
 * Fills `{{ name }}` places. A place that is not closed stays as it is. One pass; values are never read as templates
 * themselves.
 */
export function fillTemplate(
  template: string,
  value: TemplateValue,
  encode: (text: string) => string,
): string {
  let filled = '';
  let position = 0;
  for (;;) {
    const open = template.indexOf('{{', position);
    const close = open < 0 ? -1 : template.indexOf('}}', open);
    if (close < 0) return filled + template.slice(position);
    filled += template.slice(position, open) + encode(value(template.slice(open + 2, close).trim()));
    position = close + 2;
  }
}
