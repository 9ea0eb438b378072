import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import { compareAsAlerts, compareBySize, labelsToObject } from '../alert/index.ts';
import { alertQuery, parseAlertQuery, wireAlert } from './filter.ts';
import type { ApiPorts, GroupView } from './ports.ts';
import { receiverTest } from './select.ts';

/** Alertmanager's API v2 for reading alerts: `GET /api/v2/alerts`, `/alerts/groups`, `/receivers`, `/status`. */
export function addAlertRoutes(server: FastifyInstance, { read, operations }: ApiPorts): void {
  server.get<{ Querystring: unknown }>(
    '/api/v2/alerts',
    { schema: { tags: ['alertmanager'], summary: 'Alerts that fire now', querystring: alertQuery } },
    async (request) => {
      const alerts = await read.alerts(parseAlertQuery(request.query as z.output<typeof alertQuery>));
      return alerts.toSorted((a, b) => (a.alert.fingerprint < b.alert.fingerprint ? -1 : 1)).map(wireAlert);
    },
  );

  server.get(
    '/api/v2/alerts/groups',
    {
      schema: {
        tags: ['alertmanager'],
        summary: 'Alerts as they are grouped for receivers',
        querystring: alertQuery,
      },
    },
    async (request) => {
      const query = parseAlertQuery(request.query as z.output<typeof alertQuery>);
      const isWanted = receiverTest(query.receiver);
      const groups = await read.groups(query);
      return groups.toSorted(compareGroups).map((group) => ({
        alerts: group.alerts
          .toSorted((a, b) => compareAsAlerts(a.alert.labels, b.alert.labels))
          .map((view) => wireAlert({ ...view, receivers: view.receivers.filter(isWanted).toSorted() })),
        labels: labelsToObject(group.labels),
        receiver: { name: group.receiver },
      }));
    },
  );

  server.get(
    '/api/v2/receivers',
    { schema: { tags: ['alertmanager'], summary: 'Names of all receivers' } },
    async () => (await read.receivers()).map((name) => ({ name })),
  );

  server.get(
    '/api/v2/status',
    { schema: { tags: ['alertmanager'], summary: 'Version, uptime and configuration' } },
    () => ({
      cluster: operations.cluster(),
      config: { original: operations.configText() },
      uptime: new Date(operations.startedAtMs).toISOString(),
      versionInfo: {
        branch: '',
        buildDate: '',
        buildUser: '',
        goVersion: process.version,
        revision: operations.alertmanagerVersion === null ? '' : `tocsin ${operations.version}`,
        version: operations.alertmanagerVersion ?? operations.version,
      },
    }),
  );
}

function compareGroups(a: GroupView, b: GroupView): number {
  return (
    compareBySize(a.labels, b.labels) || (a.receiver < b.receiver ? -1 : a.receiver > b.receiver ? 1 : 0)
  );
}
