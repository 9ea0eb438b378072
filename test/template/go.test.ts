import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { defaultTemplates, TemplateError } from '../../src/template/index.ts';
import { fixtureData } from './scene.ts';

interface Case {
  readonly template: string;
  readonly output?: string;
  readonly error?: string;
}

/** What Go 1.19 makes of the templates of cases.json: see fixtures/template/render.go. */
const expected = JSON.parse(
  readFileSync(new URL('../../fixtures/template/expected.json', import.meta.url), 'utf8'),
) as { readonly text: readonly Case[]; readonly html: readonly Case[] };

const renderText = (template: string) => defaultTemplates().renderText(template, fixtureData());
const renderHtml = (template: string) => defaultTemplates().renderHtml(template, fixtureData());

const rendered = (cases: readonly Case[]) => cases.filter(({ error }) => error === undefined);
const refused = (cases: readonly Case[]) => cases.filter(({ error }) => error !== undefined);

describe('text/template', () => {
  test.each(rendered(expected.text))('renders $template as Go does', ({ template, output }) => {
    expect(renderText(template)).toBe(output);
  });

  test.each(refused(expected.text))("refuses $template in Go's words", ({ template, error }) => {
    expect(() => renderText(template)).toThrow(expect.objectContaining({ message: error }));
  });
});

test('branches that end in different places of HTML are followed as they are taken, where Go refuses them', () => {
  const text = '<p title="{{ if eq .Status "firing" }}">{{ else }}" class=x>{{ end }}{{ "<" }}</p>';
  expect(renderHtml(text)).toBe('<p title="">&lt;</p>');
});

describe('html/template', () => {
  test.each(rendered(expected.html))('renders $template as Go does', ({ template, output }) => {
    expect(renderHtml(template)).toBe(output);
  });

  test.each(refused(expected.html))('refuses $template as Go does', ({ template, error = '' }) => {
    expect(() => renderHtml(template)).toThrow(TemplateError);
    // Go finds these before it executes anything, and then says it in other words.
    if (!error.startsWith('html/template:'))
      expect(() => renderHtml(template)).toThrow(expect.objectContaining({ message: error }));
  });
});
