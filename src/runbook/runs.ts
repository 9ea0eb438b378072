import { fingerprint, type Labels, labelValue } from '../alert/index.ts';
import type { HttpStepEffect, Incident, RunbookRun, RunbookStep } from '../incident/index.ts';
import { isAllowedHost, needsApproval, type HttpStepConfig, type RunbookConfig } from './config.ts';
import { fillTemplate } from './template.ts';

/** A run with the snapshot that its steps are carried out from. */
export interface StoredRun {
  readonly run: RunbookRun;
  readonly snapshot: RunbookConfig;
  readonly values: { readonly incident: Readonly<Record<string, string>>; readonly labels: Labels };
}

export interface Advance {
  readonly stored: StoredRun;
  readonly effects: readonly HttpStepEffect[];
}

/** Makes a run of a runbook for an incident, before its first step. */
export function createRun(
  id: string,
  runbook: RunbookConfig,
  incident: Incident,
  labels: Labels,
  by: string,
  nowMs: number,
): StoredRun {
  const run: RunbookRun = {
    id,
    runbook: runbook.name,
    runbookHash: fingerprint([JSON.stringify(runbook)]),
    incidentId: incident.id,
    startedBy: by,
    startedAtMs: nowMs,
    endedAtMs: null,
    state: 'running',
    steps: runbook.steps.map((step) => ({
      name: step.name,
      kind: step.kind,
      instruction: step.kind === 'manual' ? step.instruction : `${step.method} ${step.url}`,
      needsApproval: needsApproval(step),
      state: 'pending',
      approvedBy: null,
      approvedAtMs: null,
      endedAtMs: null,
      outcome: '',
    })),
  };
  const values = {
    incident: {
      id: incident.id,
      service: incident.services[0] ?? '',
      priority: incident.priority,
      title: incident.title,
    },
    labels,
  };
  return { run, snapshot: runbook, values };
}

/** Index of the step that is not over, or -1. */
export function currentStep({ run }: StoredRun): number {
  return run.state === 'running' ? run.steps.findIndex(({ state }) => state !== 'done') : -1;
}

/** Lets the next pending step begin: it asks for approval, for a person, or for its request to be made. */
export function beginStep(stored: StoredRun, allowedHosts: readonly string[], nowMs: number): Advance {
  const index = currentStep(stored);
  const step = stored.run.steps[index];
  if (!step) return { stored: endRun(stored, 'done', nowMs), effects: [] };
  if (step.kind === 'manual')
    return { stored: setStep(stored, index, { state: 'awaiting_person' }), effects: [] };
  if (step.needsApproval && step.approvedBy === null) {
    return { stored: setStep(stored, index, { state: 'awaiting_approval' }), effects: [] };
  }
  const effect = request(stored, index);
  if (!isAllowedHost(effect.payload.url, allowedHosts)) {
    const outcome = `${effect.payload.url}: this host is not among runbooks.allowed_hosts`;
    return { stored: endStep(stored, index, 'failed', outcome, nowMs), effects: [] };
  }
  return { stored: setStep(stored, index, { state: 'running' }), effects: [effect] };
}

/** Ends a step; a step that failed or was rejected ends the run. */
export function endStep(
  stored: StoredRun,
  index: number,
  state: 'done' | 'failed' | 'rejected',
  outcome: string,
  nowMs: number,
): StoredRun {
  const ended = setStep(stored, index, { state, outcome, endedAtMs: nowMs });
  return state === 'done' ? ended : endRun(ended, state, nowMs);
}

export function endRun(stored: StoredRun, state: RunbookRun['state'], nowMs: number): StoredRun {
  return { ...stored, run: { ...stored.run, state, endedAtMs: nowMs } };
}

export function setStep(stored: StoredRun, index: number, change: Partial<RunbookStep>): StoredRun {
  const steps = stored.run.steps.map((step, position) =>
    position === index ? { ...step, ...change } : step,
  );
  return { ...stored, run: { ...stored.run, steps } };
}

function request({ run, snapshot, values }: StoredRun, index: number): HttpStepEffect {
  const step = snapshot.steps[index] as HttpStepConfig;
  const value = (name: string): string => {
    const [head = '', key = ''] = splitOnce(name);
    if (head === 'incident') return Object.hasOwn(values.incident, key) ? (values.incident[key] ?? '') : '';
    return head === 'labels' ? labelValue(values.labels, key) : '';
  };
  return {
    id: `runbook/${run.id}/${index}`,
    kind: 'http-step',
    payload: {
      runId: run.id,
      step: index,
      method: step.method,
      url: fillTemplate(step.url, value, encodeURIComponent),
      headers: step.headers,
      body: fillTemplate(step.body, value, (text) => JSON.stringify(text).slice(1, -1)),
      timeoutMs: step.timeout,
    },
  };
}

function splitOnce(name: string): string[] {
  const dot = name.indexOf('.');
  return dot < 0 ? [name] : [name.slice(0, dot), name.slice(dot + 1)];
}

/** What the carrier of an HTTP step answers. */
export interface HttpStepResult {
  readonly status: number;
  /** The answer's body, cut to 4 KiB. */
  readonly body: string;
}
