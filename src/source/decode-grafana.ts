import { createLabels, labelPairs, labelValue, type Labels } from '../alert/index.ts';
import { isObject, readBodyObject, readList, type Decode } from './decode.ts';
import { readNotified } from './notification.ts';

/**
 * Grafana's webhook contact point: Alertmanager's fields, and links of the alert's panel, which become annotations. When a data source
 * breaks, Grafana renames the alert to `DatasourceNoData` or `DatasourceError`; it gets its own name back, and an
 * annotation `grafana_state` says what is the matter. Source: grafana/alerting receivers/webhook/v1, templates/template_data.go.
 */
export const decodeGrafana: Decode = (body, context) => {
  const object = readBodyObject(body);
  if (!object.ok) return { alerts: [], errors: [object.error] };
  return readList(object.value['alerts'], 'alerts', (item, path) =>
    readNotified(item, path, 'grafana', context, (fields) => {
      const state = brokenStates.get(labelValue(fields.labels, 'alertname'));
      const renamed = state !== undefined && labelValue(fields.labels, 'rulename') !== '';
      return {
        ...fields,
        labels: renamed ? withOwnName(fields.labels) : fields.labels,
        annotations: createLabels([
          ['dashboard_url', textOf(item, 'dashboardURL')],
          ['panel_url', textOf(item, 'panelURL')],
          ...labelPairs(fields.annotations),
          ['grafana_state', renamed ? state : labelValue(fields.annotations, 'grafana_state')],
        ]),
      };
    }),
  );
};

const brokenStates: ReadonlyMap<string, string> = new Map([
  ['DatasourceNoData', 'no data'],
  ['DatasourceError', 'error'],
]);

/** Labels that Grafana adds with the other name. */
const broughtAlong = new Set(['rulename', 'datasource_uid', 'ref_id']);

function withOwnName(labels: Labels): Labels {
  const own = [...labelPairs(labels)].filter(([name]) => !broughtAlong.has(name));
  return createLabels([...own, ['alertname', labelValue(labels, 'rulename')]]);
}

function textOf(item: unknown, name: string): string {
  const text = isObject(item) ? item[name] : undefined;
  return typeof text === 'string' ? text.toWellFormed() : '';
}
