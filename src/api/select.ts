import {
  compileMatcher,
  compileMatchers,
  matchesAll,
  type MatcherOutcome,
  type MatcherText,
} from '../alert/index.ts';
import type { Incident } from '../incident/index.ts';
import type { AlertQuery, AlertView, GroupView, IncidentQuery, SilenceView } from './ports.ts';

/** Those of the alerts that a query asks for. */
export function selectAlerts(alerts: Iterable<AlertView>, query: AlertQuery): AlertView[] {
  const isWanted = receiverTest(query.receiver);
  const isSelected = alertTest(query);
  return [...alerts].filter((view) => view.receivers.some(isWanted) && isSelected(view));
}

/** The groups of wanted receivers with those of their alerts that a query asks for. */
export function selectGroups(groups: Iterable<GroupView>, query: AlertQuery): GroupView[] {
  const isWanted = receiverTest(query.receiver);
  const isSelected = alertTest(query);
  return [...groups]
    .filter(({ receiver }) => isWanted(receiver))
    .map((group) => ({ ...group, alerts: group.alerts.filter(isSelected) }))
    .filter(({ alerts }) => alerts.length > 0);
}

/** Alertmanager's filter on silences (api/v2/api.go, `CheckSilenceMatchesFilterLabels`): those that have these very matchers. */
export function selectSilences(
  silences: Iterable<SilenceView>,
  matchers: readonly MatcherText[],
): SilenceView[] {
  return [...silences].filter(({ silence }) =>
    matchers.every(({ name, value, isRegex, isEqual }) =>
      silence.matchers.some(
        (matcher) =>
          matcher.name === name &&
          matcher.value === value &&
          matcher.isRegex === isRegex &&
          matcher.isEqual === isEqual,
      ),
    ),
  );
}

/** The most urgent of those that a query asks for, the newest first where they are equally urgent. */
export function selectIncidents(
  incidents: Iterable<Incident>,
  { state, domain, limit }: IncidentQuery,
): Incident[] {
  return [...incidents]
    .filter((incident) => isInState(incident, state) && (domain === undefined || incident.domain === domain))
    .sort((a, b) => a.priority.localeCompare(b.priority) || b.openedAtMs - a.openedAtMs)
    .slice(0, limit);
}

/** Whether a receiver of this name is asked for. */
export function receiverTest(expression: string): (name: string) => boolean {
  if (expression === '') return () => true;
  const parsed = compileReceiver(expression);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.matcher.matches;
}

export function compileReceiver(expression: string): MatcherOutcome {
  return compileMatcher({ name: 'receiver', value: expression, isRegex: true, isEqual: true });
}

function alertTest({ active, silenced, inhibited, matchers }: AlertQuery): (view: AlertView) => boolean {
  const compiled = compileMatchers(matchers);
  if (!compiled.ok) throw new Error(compiled.error);
  return ({ alert, silencedBy, inhibitedBy }) => {
    const isSilenced = silencedBy.length > 0;
    const isInhibited = inhibitedBy.length > 0;
    if (!active && !isSilenced && !isInhibited) return false;
    if (!silenced && isSilenced) return false;
    if (!inhibited && isInhibited) return false;
    return matchesAll(compiled.matchers, alert.labels);
  };
}

function isInState(incident: Incident, state: IncidentQuery['state']): boolean {
  if (state === 'all') return true;
  if (state === 'unresolved') return incident.state === 'open' || incident.state === 'acknowledged';
  return incident.state === state;
}
