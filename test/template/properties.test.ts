import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { defaultTemplates, TemplateError, Templates } from '../../src/template/index.ts';
import { fixtureData } from './scene.ts';

const data = fixtureData();

/** Templates as likely to be right as wrong, of what the language is made of. */
const source = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ...'{{ }} {{- -}} if else end range with define template block break continue . $ $x := = | ( ) , .Status .Alerts'.split(
          ' ',
        ),
        ...'.Labels .Nope .GroupLabels eq len index slice printf "a" `b` \'c\' 1 -1 1.5 nil true "%d" "%[2]*d" html /* */'.split(
          ' ',
        ),
        ...'.StartsAt.Format reReplaceAll match "(" join stringSlice dict list <a href=" "> <style> </style> <!-- -->'.split(
          ' ',
        ),
      ),
      fc.string({ unit: 'binary', maxLength: 3 }),
    ),
    { maxLength: 25 },
  )
  .map((pieces) => pieces.join(' '));

test('a text without actions renders to itself', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }).filter((text) => !text.includes('{{')),
      (text) => {
        expect(Templates.empty.renderText(text, data)).toBe(text);
        expect(Templates.empty.renderText(`${text}{{/* parsed */}}`, data)).toBe(text);
      },
    ),
  );
});

test('a quoted string is what was quoted', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }).map((text) => text.toWellFormed()),
      (text) => {
        const literal = Templates.empty.renderText(`{{ printf "%q" ${JSON.stringify(text)} }}`, data);
        expect(Templates.empty.renderText(`{{ ${literal} }}`, data)).toBe(text);
      },
    ),
  );
});

test('whatever the text is, it is rendered or refused with a template error', () => {
  fc.assert(
    fc.property(source, (text) => {
      for (const render of ['renderText', 'renderHtml'] as const) {
        try {
          expect(typeof defaultTemplates()[render](text, data)).toBe('string');
        } catch (error) {
          expect(error).toBeInstanceOf(TemplateError);
        }
      }
    }),
    { numRuns: 2000 },
  );
});

test('nothing that a value holds gets out of where it stands in HTML', () => {
  const value = fc.string({
    unit: fc.constantFrom('<', '>', '"', "'", '&', ' ', '=', '`', 'a', '/', '-', '\0', ':'),
  });
  fc.assert(
    fc.property(value, (text) => {
      const quoted = JSON.stringify(text).replaceAll('\\u0000', '\\x00');
      const html = Templates.empty.renderHtml(
        `<p title="{{ ${quoted} }}" id='{{ ${quoted} }}'>{{ ${quoted} }}</p>`,
        data,
      );
      expect(html).toMatch(/^<p title="[^"<>]*" id='[^'<>]*'>[^<>"']*<\/p>$/);
      const bare = Templates.empty.renderHtml(`<p title={{ ${quoted} }} x>`, data);
      expect(bare).toMatch(/^<p title=[^\s"'<>=`]* x>$/);
    }),
  );
});
