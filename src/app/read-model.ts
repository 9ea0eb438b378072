import { labelsToObject, type Alert } from '../alert/index.ts';
import {
  selectAlerts,
  selectGroups,
  selectIncidents,
  selectSilences,
  type AlertView,
  type GroupView,
  type IncidentDetail,
  type ReadModel,
  type SignalView,
} from '../api/index.ts';
import type { Carriers } from './effects.ts';
import type { Candidate, Incident, Signal } from '../incident/index.ts';
import type { PipelineStages } from './pipeline.ts';

/** Answers the API from the stages' memory, at once: between two batches of the fold, which is whenever a request is handled. */
export function createReadModel(stages: PipelineStages, carriers: Pick<Carriers, 'integrations'>): ReadModel {
  const { intake, mute, dedup, correlate, triage, runbook, calm, dispatch, funnel } = stages;

  const view = (alert: Alert): AlertView => ({
    alert,
    ...mutedBy(stages, alert.fingerprint),
    receivers: dispatch.receiversOf(alert.fingerprint),
  });

  const signalsOf = (candidate: Candidate | undefined): SignalView[] =>
    (candidate?.signalIds ?? []).flatMap((id) => {
      const signal = dedup.signal(id);
      return signal ? withoutSignature(signal) : [];
    });

  function* alerts(): Generator<AlertView> {
    for (const alert of intake.alerts()) yield view(alert);
  }

  function* groups(): Generator<GroupView> {
    for (const group of dispatch.groups()) {
      const inGroup = group.fingerprints.flatMap((fingerprint) => intake.alert(fingerprint) ?? []);
      yield { labels: group.labels, receiver: group.receiver, alerts: inGroup.map(view) };
    }
  }

  const detailOf = (id: string): IncidentDetail | undefined => {
    const incident = triage.incident(id);
    if (!incident) return undefined;
    const candidate = correlate.candidate(id);
    return {
      incident,
      signals: signalsOf(candidate),
      links: candidate?.links ?? [],
      pages: dispatch.pages(id),
      calm: dispatch.calmOf(id),
      runbooks: runbook.suggestions(id),
      runs: runbook.runs(id),
    };
  };

  return {
    alerts: async (query) => selectAlerts(alerts(), query),
    groups: async (query) => selectGroups(groups(), query),
    receivers: async () => dispatch.receivers(),
    silences: async (matchers) => selectSilences(mute.silences(), matchers),
    silence: async (id) => mute.silence(id),
    incidents: async (query) => selectIncidents(triage.incidents(), query),
    incident: async (id) => detailOf(id),
    run: async (id) => runbook.run(id),
    storms: async () => [...calm.storms()].reverse(),
    async explain(id) {
      const detail = detailOf(id);
      if (detail) return { kind: 'incident', ...explainIncident(stages, detail) };
      const signal = dedup.signal(id);
      if (signal) return { kind: 'signal', ...explainSignal(stages, signal) };
      const storm = calm.storm(id);
      if (storm) return { kind: 'storm', storm };
      const alert = intake.alert(id);
      return alert ? { kind: 'alert', ...explainAlert(stages, alert) } : undefined;
    },
    funnel: async () => funnel.funnel(),
    models: async () => [{ ...stages.score.models() }],
    integrations: async () => carriers.integrations(),
  };
}

function mutedBy(
  { mute }: PipelineStages,
  fingerprint: string,
): Pick<AlertView, 'silencedBy' | 'inhibitedBy'> {
  const verdict = mute.verdict(fingerprint);
  return verdict.muted
    ? { silencedBy: verdict.silencedBy, inhibitedBy: verdict.inhibitedBy }
    : { silencedBy: [], inhibitedBy: [] };
}

function explainAlert(stages: PipelineStages, alert: Alert): Record<string, unknown> {
  const signal = stages.dedup.signalOf(alert.fingerprint);
  return {
    alert: { ...alert, labels: labelsToObject(alert.labels), annotations: labelsToObject(alert.annotations) },
    muted: stages.mute.verdict(alert.fingerprint),
    dispatch: stages.dispatch.explain(alert.fingerprint),
    dedup: stages.dedup.explain(alert),
    key: stages.dedup.keyOf(alert),
    signal: signal ? explainSignal(stages, signal) : null,
  };
}

function explainSignal(stages: PipelineStages, signal: Signal): Record<string, unknown> {
  const candidate = stages.correlate.candidateOfSignal(signal.id);
  return {
    signal: shownSignal(withoutSignature(signal)),
    baseline: stages.score.baseline(signal.id) ?? null,
    links:
      candidate?.links.filter((link) => link.fromSignalId === signal.id || link.toSignalId === signal.id) ??
      [],
    incident: incidentOf(stages, candidate),
    calm: candidate ? stages.dispatch.calmOf(candidate.id) : [],
    pages: candidate ? stages.dispatch.pages(candidate.id) : [],
  };
}

function explainIncident(stages: PipelineStages, detail: IncidentDetail): Record<string, unknown> {
  const { incident, signals, links, pages, calm } = detail;
  const forgottenCount = incident.signalCount - signals.length;
  return {
    incident: shownIncident(incident),
    signals: signals.map(shownSignal),
    ...(forgottenCount > 0
      ? { forgotten: `${forgottenCount} of its signals ended too long ago; the history has them` }
      : {}),
    grouping: stages.correlate.candidate(incident.id)?.reasons ?? [],
    links,
    calm,
    pages,
  };
}

function withoutSignature({ signature: _, ...signal }: Signal): SignalView {
  return signal;
}

function shownSignal({ labels, ...signal }: SignalView): Record<string, unknown> {
  return { ...signal, labels: labelsToObject(labels) };
}

function incidentOf({ triage }: PipelineStages, candidate: Candidate | undefined): unknown {
  const incident = candidate && triage.incident(candidate.id);
  return incident ? shownIncident(incident) : null;
}

function shownIncident({ probableCauses, ...incident }: Incident): Record<string, unknown> {
  const causes = probableCauses.map((cause) => ({ ...cause, labels: labelsToObject(cause.labels) }));
  return { ...incident, probableCauses: causes };
}
