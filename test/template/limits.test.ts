import { expect, test } from 'vitest';
import { TemplateError, Templates } from '../../src/template/index.ts';
import { fixtureData } from './scene.ts';

const render = (text: string) => Templates.empty.renderText(text, fixtureData());

test('a template that calls itself for ever is ended', () => {
  expect(() => render('{{ define "a" }}{{ template "a" . }}{{ end }}{{ template "a" . }}')).toThrow(
    /exceeded maximum template depth \(500\)/,
  );
});

test('loops within loops are ended', () => {
  const loop = '{{ range 10000 }}'.repeat(3) + '{{ end }}'.repeat(3);
  expect(() => render(loop)).toThrow(/takes more than 10000000 steps/);
});

test.each([
  ['output', '{{ range 1000 }}{{ printf "%1000000d" 1 }}{{ end }}'],
  ['one format', `{{ printf "${'%1000000d'.repeat(50)}" ${'1 '.repeat(50)} }}`],
  ['a text that doubles', '{{ $x := "ab" }}{{ range 100 }}{{ $x = print $x $x }}{{ end }}'],
  ['a list that doubles', '{{ $x := list 1 2 }}{{ range 100 }}{{ $x = list $x $x }}{{ end }}{{ $x }}'],
  [
    'replacements',
    '{{ $x := printf "%1000d" 1 }}{{ $y := printf "%100000d" 1 }}{{ reReplaceAll " " $y $x }}',
  ],
])('%s cannot fill the memory', (_name, text) => {
  expect(() => render(text)).toThrow(/text longer than \d+ characters/);
});

test.each([
  ['parentheses', `{{ ${'('.repeat(100_000)}1${')'.repeat(100_000)} }}`],
  ['blocks', '{{ if true }}'.repeat(100_000) + '{{ end }}'.repeat(100_000)],
])('%s nested deeper than anybody reads are refused', (_name, text) => {
  expect(() => render(text)).toThrow(/nested deeper than 200 levels/);
});

test('a pattern that would take a backtracking engine for ever is matched at once', () => {
  expect(render(`{{ match "^(a+)+$" "${'a'.repeat(40)}!" }}`)).toBe('false');
});

test('an error says where: line and column from 1', () => {
  const failure = (text: string): unknown => {
    try {
      return render(text);
    } catch (error) {
      return error;
    }
  };
  expect(failure('one\n{{ "é" }} {{ .Nope }}')).toMatchObject({
    code: 'TOC_TEMPLATE_FAILED',
    position: { template: '', line: 2, column: 14 },
  });
  expect(failure('one\n  {{ nope }}')).toBeInstanceOf(TemplateError);
  expect(failure('one\n  {{ nope }}')).toMatchObject({
    code: 'TOC_TEMPLATE_INVALID',
    position: { template: '', line: 2, column: 6 },
  });
});
