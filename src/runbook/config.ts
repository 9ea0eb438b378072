import { z } from 'zod';
import { durationSchema, matchersSchema } from '../alert/index.ts';

const httpUrl = z
  .string()
  .refine(
    (text) => URL.canParse(text.replaceAll(/\{\{[^}]*\}\}/g, 'x')) && /^https?:/.test(text),
    'expected an http or https URL',
  );

const manualStep = z.strictObject({
  name: z.string().min(1),
  kind: z.literal('manual'),
  /** What the person is to do. */
  instruction: z.string().min(1),
});

const httpStep = z.strictObject({
  name: z.string().min(1),
  kind: z.literal('http'),
  method: z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']).default('GET'),
  /** May hold `{{ incident.id }}`, `{{ incident.service }}` and `{{ labels.<name> }}`, which are URL-encoded. */
  url: httpUrl,
  headers: z.record(z.string().min(1), z.string()).default({}),
  body: z.string().default(''),
  timeout: durationSchema.prefault('30s'),
  /** The status that counts as success; without it any of 200 to 299. */
  expect_status: z.int().min(100).max(599).optional(),
  /** Wait for a person. Always true where it is not said, except for GET and HEAD. */
  approve: z.boolean().optional(),
});

const runbook = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/, 'must be lower-case letters, digits and dashes'),
  description: z.string().default(''),
  /** Over an incident's `category`, `priority`, `severity`, `service` and the labels of its signals. */
  matchers: matchersSchema.prefault([]),
  steps: z.array(z.discriminatedUnion('kind', [manualStep, httpStep])).min(1),
});

/** Section `runbooks`. */
export const runbooksConfig = z.strictObject({
  /** Hosts (with port, where it is not the default one) that HTTP steps may reach. Loopback is always allowed. */
  allowed_hosts: z.array(z.string().min(1)).default([]),
  catalog: z
    .array(runbook)
    .default([])
    .refine(
      (list) => new Set(list.map(({ name }) => name)).size === list.length,
      'two runbooks have the same name',
    ),
});

export type RunbooksConfig = z.output<typeof runbooksConfig>;
export type RunbookConfig = z.output<typeof runbook>;
export type StepConfig = RunbookConfig['steps'][number];
export type HttpStepConfig = z.output<typeof httpStep>;

/** Guardrail: what may change something waits for a person unless the runbook says otherwise. */
export function needsApproval(step: StepConfig): boolean {
  return step.kind === 'http' && (step.approve ?? !(step.method === 'GET' || step.method === 'HEAD'));
}

/** Whether an HTTP step may go to this URL. */
export function isAllowedHost(url: string, allowedHosts: readonly string[]): boolean {
  if (!URL.canParse(url)) return false;
  const { host, hostname } = new URL(url);
  if (hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname)) return true;
  return allowedHosts.includes(host);
}
