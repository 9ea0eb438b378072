import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  asIs,
  encodeForJson,
  encodeForUrl,
  fillTemplate,
  findTemplateMistake,
} from '../../src/runbook/template.ts';

const values: Readonly<Record<string, string>> = {
  'incident.id': 'INC-1',
  'labels.pod': 'web-1',
  'labels.evil': '{{ incident.id }}',
};
const fill = (template: string) => fillTemplate(template, (name) => values[name], asIs);

test('places are filled, with or without blanks, and everything else is kept', () => {
  expect(fill('{{incident.id}}/{{  labels.pod  }} {not} }} here')).toEqual({
    ok: true,
    text: 'INC-1/web-1 {not} }} here',
  });
});

test('a value is never read as a template itself', () => {
  expect(fill('{{ labels.evil }}')).toEqual({ ok: true, text: '{{ incident.id }}' });
});

test('a place without a value, or that is not closed, is an error', () => {
  expect(fill('/{{ labels.zone }}')).toEqual({ ok: false, error: 'there is no value for {{ labels.zone }}' });
  expect(fill('/{{ labels.pod')).toEqual({ ok: false, error: 'a place {{ is not closed' });
});

test('only what is known may stand in a template', () => {
  expect(findTemplateMistake('{{ incident.id }}{{ incident.service }}{{ labels.a-b.c }}')).toBeNull();
  for (const text of ['{{ incident.title }}', '{{ labels. }}', '{{}}', '{{ 1 + 1 }}', '{{ labels.a b }}']) {
    expect(findTemplateMistake(text)).toContain('only {{ incident.id }}');
  }
});

describe('encoding', () => {
  test('no value leads out of its place in a URL', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'binary' }), (value) => {
        const outcome = fillTemplate(
          'http://ops/pods/{{ v }}/restart?why={{ v }}#end',
          () => value,
          encodeForUrl,
        );
        if (!outcome.ok) return expect(['.', '..']).toContain(value);
        const url = new URL(outcome.text);
        expect(url.host).toBe('ops');
        expect(url.pathname.split('/')).toHaveLength(4);
        expect(decodeURIComponent(url.pathname.split('/')[2] ?? '')).toBe(value.toWellFormed());
        expect([...url.searchParams.entries()]).toEqual([['why', value.toWellFormed()]]);
        expect(url.hash).toBe('#end');
      }),
    );
  });

  test('segments that URLs resolve are refused', () => {
    for (const value of ['.', '..']) {
      expect(fillTemplate('http://ops/pods/{{ v }}/restart', () => value, encodeForUrl)).toMatchObject({
        ok: false,
      });
    }
  });

  test('no value leads out of its JSON string', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'binary' }), (value) => {
        const outcome = fillTemplate('{"v":"{{ v }}"}', () => value, encodeForJson);
        expect(outcome.ok && JSON.parse(outcome.text)).toEqual({ v: value.toWellFormed() });
      }),
    );
  });
});

test('a long template costs linear time', () => {
  const template = '{{ labels.pod }}}'.repeat(20_000);
  const outcome = fill(template);
  expect(outcome.ok && outcome.text.length).toBe('web-1}'.length * 20_000);
});
