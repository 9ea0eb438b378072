import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { labelsOf } from '../../src/alert/index.ts';
import { defaultTemplates, loadTemplates, templateData } from '../../src/template/index.ts';
import { incidentOf, notificationOf } from '../notify/scene.ts';
import { fixtureData } from './scene.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tocsin-templates-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("an operator's files are found by pattern beside the configuration, and replace defaults of their names", async () => {
  await mkdir(join(folder, 'templates'));
  await writeFile(
    join(folder, 'templates/b.tmpl'),
    '{{ define "mine" }}b{{ end }}{{ define "kept" }} {{ end }}',
  );
  await writeFile(
    join(folder, 'templates/a.tmpl'),
    '{{ define "mine" }}a{{ end }}{{ define "kept" }}kept{{ end }}',
  );
  await writeFile(
    join(folder, 'slack.tmpl'),
    'top {{ .Status }}{{ define "slack.default.title" }}{{ .GroupLabels.alertname }}{{ end }}',
  );
  const templates = await loadTemplates(
    ['templates/*.tmpl', join(folder, 'slack.tmpl'), 'none/*.tmpl'],
    folder,
  );
  const render = (text: string) => templates.renderText(text, fixtureData());
  expect(render('{{ template "mine" . }} {{ template "kept" . }}')).toBe('b kept');
  expect(render('{{ template "slack.default.title" . }}')).toBe('DiskFull');
  expect(render('{{ template "slack.default.fallback" . }}')).toMatch(/^DiskFull \| http/);
  expect(render('{{ template "slack.tmpl" . }}')).toBe('top firing');
  expect(defaultTemplates().renderText('{{ template "slack.default.title" . }}', fixtureData())).toMatch(
    /^\[FIRING:2\]/,
  );
});

test('a file with a mistake is named with line and column', async () => {
  await writeFile(join(folder, 'bad.tmpl'), '{{ define "a" }}\n  {{ nope . }}\n{{ end }}');
  await expect(loadTemplates(['*.tmpl'], folder)).rejects.toMatchObject({
    code: 'TOC_CONFIG_INVALID',
    message: `${join(folder, 'bad.tmpl')}:2:6: template: bad.tmpl:2: function "nope" not defined`,
  });
});

test('an error in a definition of a file names the file', async () => {
  await writeFile(join(folder, 'x.tmpl'), '\n{{ define "a" }}{{ .Nope }}{{ end }}');
  const templates = await loadTemplates(['x.tmpl'], folder);
  expect(() => templates.renderText('{{ template "a" . }}', fixtureData())).toThrow(
    'template: x.tmpl:2:19: executing "a" at <.Nope>: can\'t evaluate field Nope in type *template.Data',
  );
});

test('a definition within a text of the configuration holds for that text', () => {
  const templates = defaultTemplates();
  const text = '{{ define "__subject" }}mine{{ end }}{{ template "slack.default.title" . }}';
  expect(templates.renderText(text, fixtureData())).toBe('mine');
  expect(templates.renderText('{{ template "slack.default.title" . }}', fixtureData())).toMatch(
    /^\[FIRING:2\]/,
  );
});

test('a template sees the incident that the page is about', () => {
  const data = templateData(notificationOf({ incident: incidentOf(), groupLabels: labelsOf({}) }), {
    externalUrl: '',
    id: 'INC-1/1/web',
    why: ['first notification', 'priority P1'],
  });
  const render = (text: string) => defaultTemplates().renderText(text, data);
  expect(
    render(
      '{{ with .Tocsin.Incident }}{{ .ID }} {{ .Priority }} {{ .Severity }}: {{ .Title | title | len }}{{ end }}',
    ),
  ).toBe('INC-1 P1 critical: 58');
  expect(
    render(
      '{{ range .Tocsin.Incident.ProbableCauses }}{{ .Text }} ({{ printf "%.0f" .Score }}) {{ .Labels.service }}{{ end }}',
    ),
  ).toBe('Disk 97 % full (1) payments-db');
  expect(
    render('{{ .Tocsin.PageID }} {{ .Tocsin.Why | join "; " }} {{ .Tocsin.Incident.Reasons | join "; " }}'),
  ).toBe(
    'INC-1/1/web first notification; priority P1 checkout-api has tier 1; checkout-api calls payments-db',
  );
  expect(
    render(
      '{{ .NotificationReason }} {{ .Tocsin.Incident.ResolvedAt.IsZero }} {{ (index .Tocsin.Incident.Similar 0).ID }}',
    ),
  ).toBe('first notification true INC-0');
});

test('a page of a group that is no incident has none', () => {
  const data = fixtureData();
  expect(defaultTemplates().renderText('{{ if .Tocsin.Incident }}a{{ else }}none{{ end }}', data)).toBe(
    'none',
  );
  expect(() => defaultTemplates().renderText('{{ .Tocsin.Incident.ID }}', data)).toThrow(
    'nil pointer evaluating *template.Incident.ID',
  );
});
