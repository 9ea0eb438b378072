import { commonLabels, labelPairs } from '../alert/index.ts';
import type {
  Incident,
  Notification,
  NotifiedAlert,
  ProbableCause,
  SimilarIncident,
} from '../incident/index.ts';
import { GoTime, zeroTimeMs } from './time.ts';
import { GoList, GoMap, GoNilPointer, GoStruct, stringList, type GoValue, type Methods } from './value.ts';

/** What a template is rendered with: its dot and `$`. */
export type TemplateData = GoStruct;

export interface DataOptions {
  /** Where people reach this server. */
  readonly externalUrl: string;
  /** The page's id. */
  readonly id: string;
  /** Why somebody is told now, the strongest reason first. */
  readonly why: readonly string[];
}

/**
 * Alertmanager's `template.Data` (template/template.go) of a notification, and `.Tocsin` with the page's id, why it is sent, and the
 * incident that it is about. As there, the receiver's name is quoted for a regular expression, and what fires has no end.
 */
export function templateData(
  notification: Notification,
  { externalUrl, id, why }: DataOptions,
): TemplateData {
  const { alerts, incident } = notification;
  return new GoStruct(
    'template.Data',
    {
      Receiver: quoteMeta(notification.receiver),
      Status: notification.status,
      Alerts: alertList('template.Alerts', alerts),
      GroupLabels: keyValues(labelPairs(notification.groupLabels)),
      CommonLabels: keyValues(labelPairs(commonLabels(alerts.map(({ alert }) => alert.labels)))),
      CommonAnnotations: keyValues(labelPairs(commonLabels(alerts.map(({ alert }) => alert.annotations)))),
      ExternalURL: externalUrl,
    },
    {
      isPointer: true,
      unprinted: {
        NotificationReason: notification.notificationReason,
        Tocsin: new GoStruct('template.Tocsin', {
          PageID: id,
          Why: stringList(why),
          Unchanged: notification.unchangedCount,
          Incident: incident ? incidentStruct(incident) : new GoNilPointer('*template.Incident'),
        }),
      },
    },
  );
}

/** As Go's regexp.QuoteMeta: so Alertmanager gives the names of receivers, in templates and to webhooks. */
export function quoteMeta(text: string): string {
  return text.replaceAll(/[\\.+*?()|[\]{}^$]/g, String.raw`\$&`);
}

function alertList(
  typeName: 'template.Alerts' | '[]template.Alert',
  alerts: readonly NotifiedAlert[],
): GoList {
  const only = (status: NotifiedAlert['status']) => ({
    parameters: [],
    call: () =>
      alertList(
        '[]template.Alert',
        alerts.filter((alert) => alert.status === status),
      ),
  });
  const methods: Methods =
    typeName === 'template.Alerts' ? { Firing: only('firing'), Resolved: only('resolved') } : {};
  return new GoList(typeName, alerts.map(alertStruct), methods);
}

function alertStruct({ alert, status }: NotifiedAlert): GoStruct {
  return new GoStruct('template.Alert', {
    Status: status,
    Labels: keyValues(labelPairs(alert.labels)),
    Annotations: keyValues(labelPairs(alert.annotations)),
    StartsAt: new GoTime(alert.startsAtMs),
    EndsAt: new GoTime(status === 'firing' ? zeroTimeMs : alert.endsAtMs),
    GeneratorURL: alert.generatorUrl,
    Fingerprint: alert.fingerprint,
  });
}

/** Alertmanager's `KV` with its methods. */
export function keyValues(pairs: Iterable<readonly [string, string]>): GoMap {
  const entries = new Map(pairs);
  const sorted = (): [string, string][] => {
    const all = [...map.entries.keys()].map((name): [string, string] => [name, entries.get(name) ?? '']);
    const alertname = all.filter(([name]) => name === 'alertname');
    return [...alertname, ...all.filter(([name]) => name !== 'alertname')];
  };
  const map: GoMap = new GoMap('template.KV', entries, '', {
    SortedPairs: { parameters: [], call: () => pairList(sorted()) },
    Names: { parameters: [], call: () => stringList(sorted().map(([name]) => name)) },
    Values: { parameters: [], call: () => stringList(sorted().map(([, value]) => value)) },
    Remove: {
      parameters: ['[]string'],
      call: (names) => {
        const removed = new Set(names instanceof GoList ? names.items : []);
        return keyValues([...entries].filter(([name]) => !removed.has(name)));
      },
    },
  });
  return map;
}

function pairList(pairs: readonly (readonly [string, string])[]): GoList {
  return new GoList(
    'template.Pairs',
    pairs.map(([name, value]) => new GoStruct('template.Pair', { Name: name, Value: value })),
    {
      Names: { parameters: [], call: () => stringList(pairs.map(([name]) => name)) },
      Values: { parameters: [], call: () => stringList(pairs.map(([, value]) => value)) },
    },
  );
}

function incidentStruct(incident: Incident): GoStruct {
  return new GoStruct(
    'template.Incident',
    {
      ID: incident.id,
      Title: incident.title,
      State: incident.state,
      Priority: incident.priority,
      Severity: incident.severity,
      Category: incident.category,
      Confidence: incident.confidence,
      Surprise: incident.surprise,
      Domain: incident.domain,
      Services: stringList(incident.services),
      SignalCount: BigInt(incident.signalCount),
      AlertCount: BigInt(incident.alertCount),
      Revision: BigInt(incident.revision),
      OpenedAt: new GoTime(incident.openedAtMs),
      UpdatedAt: new GoTime(incident.updatedAtMs),
      ResolvedAt: optionalTime(incident.resolvedAtMs),
      AcknowledgedBy: incident.acknowledgedBy ?? '',
      AcknowledgedAt: optionalTime(incident.acknowledgedAtMs),
      ProbableCauses: new GoList('[]template.ProbableCause', incident.probableCauses.map(causeStruct)),
      Reasons: stringList(incident.reasons.map(({ text }) => text)),
      Similar: new GoList('[]template.SimilarIncident', incident.similar.map(similarStruct)),
      HistoryMissing: incident.historyMissing,
    },
    { isPointer: true },
  );
}

function causeStruct({ text, score, labels, reasons }: ProbableCause): GoStruct {
  return new GoStruct('template.ProbableCause', {
    Text: text,
    Score: score,
    Labels: keyValues(labelPairs(labels)),
    Reasons: stringList(reasons.map((reason) => reason.text)),
  });
}

function similarStruct(past: SimilarIncident): GoStruct {
  return new GoStruct('template.SimilarIncident', {
    ID: past.incidentId,
    Title: past.title,
    Similarity: past.similarity,
    Priority: past.priority,
    OpenedAt: new GoTime(past.openedAtMs),
    ResolvedAt: optionalTime(past.resolvedAtMs),
    Shared: stringList(past.shared),
  });
}

/** What has not happened has Go's zero time: `{{ if not .ResolvedAt.IsZero }}`. */
function optionalTime(ms: number | null): GoValue {
  return new GoTime(ms ?? zeroTimeMs);
}
