import { fingerprint } from '../alert/index.ts';
import type { HttpStepEffect, RunbookRun, RunbookStep } from '../incident/index.ts';
import { isAllowedHost, needsApproval, type RunbookConfig, type StepConfig } from './config.ts';
import { renderRequest, type RunSubject } from './request.ts';

/** A run with the snapshot that its steps are carried out from. */
export interface StoredRun {
  readonly run: RunbookRun;
  readonly snapshot: RunbookConfig;
  /** The commands that moved it, so that one sent again moves nothing. */
  readonly commandIds: readonly string[];
}

export interface RunOrigin {
  readonly id: string;
  readonly by: string;
  /** The command that starts it; null when it starts by itself. */
  readonly commandId: string | null;
  readonly nowMs: number;
  readonly allowedHosts: readonly string[];
}

export type RunOutcome =
  | { readonly ok: true; readonly stored: StoredRun }
  | { readonly ok: false; readonly error: string };

export interface Advance {
  readonly stored: StoredRun;
  readonly effects: readonly HttpStepEffect[];
}

/**
 * Makes a run of a runbook, before its first step. All requests are written out now, so that whoever approves one sees exactly what
 * will be sent. One that cannot be written, or leads to a host that is not allowed, is an error outcome: nothing is half done.
 */
export function createRun(runbook: RunbookConfig, subject: RunSubject, origin: RunOrigin): RunOutcome {
  const steps: RunbookStep[] = [];
  for (const step of runbook.steps) {
    if (step.kind === 'manual') {
      steps.push({ ...createStep(step), instruction: step.instruction });
      continue;
    }
    const rendered = renderRequest(step, subject);
    if (!rendered.ok) return rendered;
    const { request } = rendered;
    if (!isAllowedHost(request.url, origin.allowedHosts)) return { ok: false, error: forbidden(request.url) };
    steps.push({ ...createStep(step), instruction: `${request.method} ${request.url}`, request });
  }
  const run: RunbookRun = {
    id: origin.id,
    runbook: runbook.name,
    runbookHash: fingerprint([JSON.stringify(runbook)]),
    incidentId: subject.incidentId,
    startedBy: origin.by,
    startedAtMs: origin.nowMs,
    endedAtMs: null,
    state: 'running',
    endedBecause: '',
    steps,
  };
  return {
    ok: true,
    stored: { run, snapshot: runbook, commandIds: origin.commandId === null ? [] : [origin.commandId] },
  };
}

function createStep(step: StepConfig): Omit<RunbookStep, 'instruction'> {
  return {
    name: step.name,
    kind: step.kind,
    request: null,
    needsApproval: needsApproval(step),
    state: 'pending',
    approvedBy: null,
    approvedAtMs: null,
    endedAtMs: null,
    outcome: '',
    response: null,
  };
}

/** Index of the step that is not over, or -1. */
export function currentStep({ run }: StoredRun): number {
  return run.state === 'running' ? run.steps.findIndex(({ state }) => state !== 'done') : -1;
}

/**
 * Lets the next pending step begin: it asks for approval, for a person, or for its request to be made.
 *
 * INVARIANT: a step that needs approval makes no request before somebody approved it.
 * INVARIANT: no request is made for an incident that is over.
 */
export function beginStep(
  stored: StoredRun,
  rules: { readonly allowedHosts: readonly string[]; readonly isOver: boolean; readonly nowMs: number },
): Advance {
  const index = currentStep(stored);
  const step = stored.run.steps[index];
  if (!step) return still(endRun(stored, 'done', 'every step is done', rules.nowMs));
  if (step.request === null) return still(setStep(stored, index, { state: 'awaiting_person' }));
  if (rules.isOver) return still(cancelRun(stored, rules.nowMs));
  if (step.needsApproval && step.approvedBy === null) {
    return still(setStep(stored, index, { state: 'awaiting_approval' }));
  }
  if (!isAllowedHost(step.request.url, rules.allowedHosts)) {
    return still(
      endStep(stored, index, { state: 'failed', outcome: forbidden(step.request.url), nowMs: rules.nowMs }),
    );
  }
  const running = setStep(stored, index, { state: 'running' });
  return { stored: running, effects: [effectOf(running, index, step.request)] };
}

function still(stored: StoredRun): Advance {
  return { stored, effects: [] };
}

export interface StepEnd {
  readonly state: 'done' | 'failed' | 'rejected';
  readonly outcome: string;
  readonly nowMs: number;
  readonly response?: RunbookStep['response'];
}

/** Ends a step; a step that failed or was rejected ends the run. */
export function endStep(
  stored: StoredRun,
  index: number,
  { state, outcome, nowMs, response }: StepEnd,
): StoredRun {
  const ended = setStep(stored, index, { state, outcome, endedAtMs: nowMs, response: response ?? null });
  const name = stored.run.steps[index]?.name ?? '';
  return state === 'done' ? ended : endRun(ended, state, `step ${JSON.stringify(name)}: ${outcome}`, nowMs);
}

/** Ends a run because its incident is over. */
export function cancelRun(stored: StoredRun, nowMs: number): StoredRun {
  return endRun(stored, 'cancelled', 'the incident was over before the next request was approved', nowMs);
}

function endRun(
  stored: StoredRun,
  state: RunbookRun['state'],
  endedBecause: string,
  nowMs: number,
): StoredRun {
  return { ...stored, run: { ...stored.run, state, endedBecause, endedAtMs: nowMs } };
}

export function setStep(stored: StoredRun, index: number, change: Partial<RunbookStep>): StoredRun {
  const steps = stored.run.steps.map((step, position) =>
    position === index ? { ...step, ...change } : step,
  );
  return { ...stored, run: { ...stored.run, steps } };
}

function effectOf(
  { run, snapshot }: StoredRun,
  index: number,
  request: NonNullable<RunbookStep['request']>,
): HttpStepEffect {
  const config = snapshot.steps[index];
  const isHttp = config?.kind === 'http';
  return {
    id: `runbook/${run.id}/${index}`,
    kind: 'http-step',
    payload: {
      runId: run.id,
      step: index,
      ...request,
      timeoutMs: isHttp ? config.timeout : 0,
      ...(isHttp && config.authorization
        ? {
            authorization: {
              type: config.authorization.type,
              credentialsFile: config.authorization.credentials_file,
            },
          }
        : {}),
    },
  };
}

/** Whether a status is what the step's snapshot expects. */
export function isExpectedStatus(step: StepConfig | undefined, status: number): boolean {
  const expected = step?.kind === 'http' ? step.expect_status : undefined;
  return expected ? expected.includes(status) : status >= 200 && status < 300;
}

function forbidden(url: string): string {
  return `${url}: this host is not among runbooks.allowed_hosts`;
}
