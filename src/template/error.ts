import { TocsinError } from '../engine/index.ts';

/** Where in a template's text something is, as editors count: line and column from 1. The column counts UTF-16 units. */
export interface TemplatePosition {
  /** The file's base name, or the empty string for a text of the configuration. */
  readonly template: string;
  readonly line: number;
  readonly column: number;
}

/**
 * A template that cannot be parsed (TOC_TEMPLATE_INVALID) or not be rendered (TOC_TEMPLATE_FAILED). The message is Go's, such as
 * `template: page.tmpl:3:7: executing "page" at <.Foo>: can't evaluate field Foo in type template.Alert`.
 */
export class TemplateError extends TocsinError {
  readonly position: TemplatePosition;

  constructor(
    code: 'TOC_TEMPLATE_INVALID' | 'TOC_TEMPLATE_FAILED',
    message: string,
    position: TemplatePosition,
    options?: ErrorOptions,
  ) {
    super(code, message, options);
    this.position = position;
  }
}

/** What a function or method of a template says when it cannot do its work; the evaluator adds where. */
export class CallError extends Error {
  override readonly name = 'CallError';
}

/** The position of `offset` in `text`. */
export function positionIn(template: string, text: string, offset: number): TemplatePosition {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { template, line: before.split('\n').length, column: offset - lineStart + 1 };
}
