import { readFile } from 'node:fs/promises';
import { styleText } from 'node:util';
import type { Scenario } from '../../../bench/scenarios/generate.ts';
import { wireReport } from '../../../bench/scenarios/generate.ts';
import { formatFunnel } from './funnel-line.ts';
import type { Responder, SeenIncident } from './responder.ts';

/** One thing that happens in the demo, at a moment of its morning. Doing it twice does no harm. */
export interface DemoStep {
  readonly atMs: number;
  run(): Promise<void>;
}

export interface ScriptOptions {
  readonly responder: Responder;
  readonly scenario: Scenario;
  readonly say: (text: string) => void;
  readonly setRate: (rate: number) => void;
}

const fixtures = new URL('../../../fixtures/outage/', import.meta.url);

export const outageAtMs = Date.parse('2026-08-24T09:15:00Z');
export const stormAtMs = Date.parse('2026-08-24T10:00:00Z');
const clearAtMs = Date.parse('2026-08-24T09:52:00Z');

/** Seconds of the morning that pass in a real one. */
export const rates = { outage: 300, storm: 95, after: 1 } as const;

/** How many reports go into one request of the storm, at most. */
const batchSize = 100;

/** The whole morning as a list of steps in order. */
export function writeScript(options: ScriptOptions): DemoStep[] {
  const { scenario, say, setRate } = options;
  const stormEndMs = scenario.reports.at(-1)?.atMs ?? stormAtMs;
  return [
    { atMs: outageAtMs - 60_000, run: async () => setRate(rates.outage) },
    ...outage(options),
    {
      atMs: stormAtMs - 1000,
      run: async () => {
        setRate(rates.storm);
        say(
          heading(
            stormAtMs,
            `A storm: ${scenario.reports.length.toLocaleString('en')} alerts of ${scenario.services.length} services in 45 minutes`,
          ),
        );
      },
    },
    ...merge(storm(options), people(options), progress(options)),
    { atMs: stormEndMs + 15 * 60_000, run: () => finale(options) },
  ];
}

function outage({ responder, say }: ScriptOptions): DemoStep[] {
  const post = async (path: string, file: string, change = (text: string) => text): Promise<void> => {
    await responder.post(path, change(await readFile(new URL(file, fixtures), 'utf8')));
    say(`   POST ${path.padEnd(34)} ${file}`);
  };
  return [
    {
      atMs: outageAtMs,
      run: async () => {
        say(heading(outageAtMs, 'One outage, told in four formats'));
        await post('/api/v2/alerts', '01a-alertmanager-v2-post-alerts.request.json');
        await post('/webhook/alertmanager-webhook', '02a-alertmanager-webhook-v4-firing.json');
        await post('/webhook/grafana', '03a-grafana-webhook-firing.json');
        await post('/webhook/cloudevents', '15a-cloudevents-structured.json');
      },
    },
    {
      atMs: clearAtMs,
      run: async () => {
        await post('/webhook/alertmanager-webhook', '02b-alertmanager-webhook-v4-resolved.json');
        await post('/webhook/grafana', '03a-grafana-webhook-firing.json', resolvedNow);
        await post('/webhook/cloudevents', '15b-cloudevents-batch.json');
      },
    },
  ];
}

/** The same notification once its alerts are over. */
function resolvedNow(text: string): string {
  const body = JSON.parse(text) as { status: string; alerts: { status: string; endsAt: string }[] };
  const endsAt = new Date(clearAtMs).toISOString();
  return JSON.stringify({
    ...body,
    status: 'resolved',
    alerts: body.alerts.map((alert) => ({ ...alert, status: 'resolved', endsAt })),
  });
}

function storm({ scenario, responder }: ScriptOptions): DemoStep[] {
  const steps: DemoStep[] = [];
  for (let start = 0; start < scenario.reports.length; start += batchSize) {
    const batch = scenario.reports.slice(start, start + batchSize);
    const atMs = batch.at(-1)?.atMs ?? stormAtMs;
    steps.push({ atMs, run: () => responder.post('/api/v2/alerts', JSON.stringify(batch.map(wireReport))) });
  }
  return steps;
}

/** What the person on call does: acknowledges, starts a runbook, approves its risky step, and says that it worked. */
function people({ responder, say }: ScriptOptions): DemoStep[] {
  const at = (minutes: number): number => stormAtMs + minutes * 60_000;
  let incident: SeenIncident | undefined;
  let runId: string | undefined;
  const find = async (): Promise<SeenIncident | undefined> => {
    const candidates = (await responder.incidents()).filter(({ services }) =>
      services.includes('payments-db'),
    );
    incident = candidates.toSorted((a, b) => b.alertCount - a.alertCount)[0];
    return incident;
  };
  return [
    {
      atMs: at(14),
      run: async () => {
        const found = await find();
        if (!found) return;
        await responder.act(`/api/v1/incidents/${found.id}/acknowledge`, 'demo-acknowledge');
        say(act(at(14), `acknowledges ${found.id} "${found.title}"`));
      },
    },
    {
      atMs: at(16),
      run: async () => {
        const found = await find();
        const detail = found && (await responder.incident(found.id));
        const runbook = detail?.runbooks?.[0];
        if (!detail || !runbook) return;
        const answer = await responder.act(
          `/api/v1/incidents/${detail.id}/runbooks/${runbook.name}/start`,
          'demo-start',
        );
        runId = (answer['run'] as { id: string }).id;
        say(act(at(16), `starts the runbook ${runbook.name}`));
      },
    },
    {
      atMs: at(18),
      run: async () => {
        const run = await findRun(responder, incident ?? (await find()), runId);
        if (!run) return;
        const step = run.steps.findIndex(({ state }) => state === 'awaiting_approval');
        if (step < 0) return;
        await responder.act(`/api/v1/runs/${run.id}/steps/${step}/approve`, 'demo-approve');
        say(act(at(18), `approves "${run.steps[step]?.name}", which changes something`));
      },
    },
    {
      atMs: at(40),
      run: async () => {
        const run = await findRun(responder, incident ?? (await find()), runId);
        const step = run?.steps.findIndex(({ state }) => state === 'awaiting_person') ?? -1;
        if (!run || step < 0) return;
        await responder.act(`/api/v1/runs/${run.id}/steps/${step}/finish`, 'demo-finish', {
          done: true,
          comment: 'a test order went through',
        });
        say(act(at(40), `finishes "${run.steps[step]?.name}": a test order went through`));
      },
    },
  ];
}

async function findRun(responder: Responder, incident: SeenIncident | undefined, runId: string | undefined) {
  if (runId !== undefined) return responder.run(runId);
  return incident && (await responder.incident(incident.id)).runs?.at(-1);
}

function progress({ responder, say }: ScriptOptions): DemoStep[] {
  return Array.from({ length: 9 }, (_, index) => {
    const atMs = stormAtMs + (index + 1) * 5 * 60_000;
    return {
      atMs,
      run: async () => say(styleText('dim', `   ${clock(atMs)}  ${formatFunnel(await responder.funnel())}`)),
    };
  });
}

async function finale({ responder, say, setRate }: ScriptOptions): Promise<void> {
  setRate(rates.after);
  const open = (await responder.incidents()).filter(({ priority }) => priority <= 'P3');
  say(heading(stormAtMs + 60 * 60_000, 'The morning is over'));
  say(`   ${formatFunnel(await responder.funnel())}`);
  say(`   ${open.length} incidents of P3 or more urgent are still open`);
}

function merge(...lists: readonly (readonly DemoStep[])[]): DemoStep[] {
  return lists.flat().sort((a, b) => a.atMs - b.atMs);
}

function heading(timeMs: number, text: string): string {
  return `\n${styleText(['bold', 'cyan'], `${clock(timeMs)}  ${text}`)}`;
}

function act(timeMs: number, text: string): string {
  return `\n${styleText('bold', `● ${clock(timeMs)}  the person on call ${text}`)}`;
}

function clock(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(11, 16);
}
