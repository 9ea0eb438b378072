import { labelsOf } from '../../src/alert/index.ts';
import type { NotifiedAlert } from '../../src/incident/index.ts';
import { templateData, type TemplateData } from '../../src/template/index.ts';
import { alertOf, notificationOf } from '../notify/scene.ts';

const startsAtMs = Date.parse('2026-08-24T09:15:02.118Z');

function alert(
  status: 'firing' | 'resolved',
  instance: string,
  afterMs: number,
  fingerprint: string,
): NotifiedAlert {
  return {
    status,
    alert: alertOf(
      { alertname: 'DiskFull', cluster: 'eu<1>', instance, job: 'node', zone: 'a&b' },
      {
        annotations: labelsOf({ summary: 'Disk "full" & <hot>', description: `on ${instance}` }),
        startsAtMs: startsAtMs + afterMs,
        endsAtMs: startsAtMs + 91 * 60_000 + 500,
        generatorUrl: `http://prometheus:9090/graph?g0.expr=up+%3D%3D+0&x=${instance}`,
        fingerprint,
      },
    ),
  };
}

/** The data of fixtures/template/render.go. */
export function fixtureData(): TemplateData {
  return templateData(
    notificationOf({
      receiver: 'web.hook',
      alerts: [
        alert('firing', 'a:9100', 0, '75b3f5ae4fa1a9b7'),
        alert('resolved', 'c:9100', 60_000, 'c1'),
        alert('firing', 'b:9100', 120_000, 'b1'),
      ],
      groupLabels: labelsOf({ alertname: 'DiskFull', cluster: 'eu<1>' }),
    }),
    { externalUrl: 'http://tocsin.example.net/a b', id: 'page-1', why: ['first notification'] },
  );
}
