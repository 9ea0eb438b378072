import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { labelsOf } from '../../src/alert/index.ts';
import type { Notification } from '../../src/incident/index.ts';
import { webhookBody } from '../../src/notify/index.ts';
import { defaultTemplates, templateData } from '../../src/template/index.ts';
import { firing, notificationOf, resolved } from '../notify/scene.ts';
import { findBinary } from '../support/servers.ts';

const amtool = findBinary('amtool');
const externalUrl = 'http://alertmanager.example.net:9093';

const annotations = labelsOf({
  summary: 'Disk <97 %> & "full"',
  runbook_url: 'https://runbooks.example.net/disk?a=1&b=2',
});
const web = (instance: string) => ({
  alertname: 'DiskFull',
  cluster: "eu's",
  instance,
  severity: 'critical',
});

const scenes: Readonly<Record<string, Notification>> = {
  'one that fires': notificationOf({
    alerts: [firing(web('a'), { annotations, generatorUrl: 'http://p/graph?g0.expr=a+b' })],
  }),
  'firing and resolved ones': notificationOf({
    alerts: [
      firing(web('a'), { annotations }),
      resolved(web('b')),
      firing({ alertname: 'DiskFull', zone: 'c' }),
    ],
    groupLabels: labelsOf({ alertname: 'DiskFull', cluster: "eu's" }),
  }),
  'resolved ones': notificationOf({
    status: 'resolved',
    alerts: [resolved(web('a'), { annotations }), resolved(web('b'), { annotations })],
  }),
  'no labels in common': notificationOf({
    alerts: [firing({ alertname: 'A' }), firing({ job: 'B' })],
    groupLabels: labelsOf({}),
  }),
  'other scripts': notificationOf({ alerts: [firing({ alertname: 'Überlast 😀', größe: '<b>' })] }),
};

const own = `{{ define "own" }}{{ range $i, $a := .Alerts }}{{ if $i }}
{{ end }}{{ printf "%2d. %-10s|" $i (index $a.Labels "instance") }} {{ $a.StartsAt.Format "15:04" }}{{ with $a.Annotations.summary }} {{ . | reReplaceAll "[<>]" "_" | title }}{{ end }}{{ end }}{{ end }}`;

/** Debian's amtool knows the default templates by their files only. */
const debianDefaults = '/usr/share/prometheus/alertmanager';
const globs = existsSync(debianDefaults) ? [join(debianDefaults, '*.tmpl')] : [];

/** They are given a list of alerts by others. */
const takesAlerts = new Set(['__text_alert_list', 'pagerduty.default.instances']);

const names = ['default.tmpl', 'email.tmpl'].flatMap((file) => {
  const text = readFileSync(new URL(`../../src/template/${file}`, import.meta.url), 'utf8');
  return [...text.matchAll(/define "([^"]+)"/g)]
    .map(([, name = '']) => name)
    .filter((name) => !takesAlerts.has(name));
});

describe.skipIf(amtool === null)('rendered as amtool renders it', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'tocsin-amtool-'));
    writeFileSync(join(folder, 'own.tmpl'), own);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const byAmtool = (text: string, notification: Notification, type: 'text' | 'html'): string => {
    const file = join(folder, 'data.json');
    const { receiver, ...body } = webhookBody('id', notification, 0, externalUrl);
    writeFileSync(file, JSON.stringify({ ...body, receiver: String(receiver) }));
    const { stdout, stderr, status } = spawnSync(
      amtool ?? '',
      [
        'template',
        'render',
        `--template.type=${type}`,
        `--template.text=${text}`,
        `--template.data=${file}`,
        ...[...globs, join(folder, 'own.tmpl')].map((glob) => `--template.glob=${glob}`),
      ],
      { encoding: 'utf8' },
    );
    expect(stderr).toBe('');
    expect(status).toBe(0);
    return stdout;
  };

  const byTocsin = (text: string, notification: Notification, type: 'text' | 'html'): string => {
    const templates = defaultTemplates().with('own.tmpl', own);
    const data = templateData(notification, { externalUrl, id: 'id', why: [] });
    return type === 'html' ? templates.renderHtml(text, data) : templates.renderText(text, data);
  };

  test.each(Object.keys(scenes))('%s', (name) => {
    const notification = scenes[name] ?? notificationOf();
    const text = [...names, 'own']
      .map((template) => `${template}: {{ template "${template}" . }};`)
      .join('\n');
    expect(byTocsin(text, notification, 'text')).toBe(byAmtool(text, notification, 'text'));
    const html = `${text.replaceAll('"email.default.html"', '"own"')}{{ template "email.default.html" . }}`;
    expect(byTocsin(html, notification, 'html')).toBe(byAmtool(html, notification, 'html'));
  });
});
