import { z } from 'zod';
import { durationSchema, matchersSchema } from '../alert/index.ts';
import { findTemplateMistake } from './template.ts';

const template = z.string().superRefine((text, context) => {
  const mistake = findTemplateMistake(text);
  if (mistake !== null) context.addIssue({ code: 'custom', message: mistake });
});

const httpUrl = template.refine((text) => {
  const url = text.replaceAll(/\{\{[^}]*\}\}/g, 'x');
  if (!URL.canParse(url) || !/^https?:\/\//.test(url)) return false;
  const { username, password } = new URL(url);
  // The host must stand in the file: a label never chooses where a request goes.
  return username === '' && password === '' && /^https?:\/\/[^/?#{}]+(?:[/?#]|$)/.test(text);
}, 'expected an http or https URL, without a password and without {{ }} in its host');

const header = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const secretHeaders = ['authorization', 'proxy-authorization', 'cookie'];

/** Headers are part of the run that everybody can read, and of the log. */
const headers = z
  .record(
    z.string().regex(header, 'is no header name'),
    z.string().regex(/^[\t\x20-\x7e]*$/, 'must be printable ASCII'),
  )
  .default({})
  .refine(
    (names) => !Object.keys(names).some((name) => secretHeaders.includes(name.toLowerCase())),
    'must hold no credentials, which would be kept in the log: use authorization.credentials_file',
  );

const manualStep = z.strictObject({
  name: z.string().min(1),
  kind: z.literal('manual'),
  /** What the person is to do. */
  instruction: z.string().min(1),
});

const status = z.int().min(100).max(599);

const httpStep = z.strictObject({
  name: z.string().min(1),
  kind: z.literal('http'),
  method: z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']).default('GET'),
  /** May hold `{{ incident.id }}`, `{{ incident.service }}` and `{{ labels.<name> }}`, which are URL-encoded. */
  url: httpUrl,
  headers,
  /** The header `Authorization` is made from this when the request is sent. */
  authorization: z
    .strictObject({
      type: z.string().regex(header, 'is no authorization scheme').default('Bearer'),
      credentials_file: z.string().min(1),
    })
    .optional(),
  /** Values in it are written as the `Content-Type` asks: inside of JSON strings where none is given, which makes it JSON. */
  body: template.default(''),
  timeout: durationSchema.refine((ms) => ms > 0, 'must be more than zero').prefault('30s'),
  /** The status that counts as success, or several; without it any of 200 to 299. */
  expect_status: z.union([status.transform((one) => [one]), z.array(status).min(1)]).optional(),
  /** Wait for a person. Always true where it is not said, except for GET and HEAD. */
  approve: z.boolean().optional(),
});

const runbook = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/, 'must be lower-case letters, digits and dashes'),
  description: z.string().default(''),
  /** Over an incident's `category`, `priority`, `severity`, `domain`, `service` and the labels of its signals. */
  matchers: matchersSchema.prefault([]),
  /** Start by itself for every incident that it fits. Steps that need approval still wait for it. */
  auto_start: z.boolean().default(false),
  steps: z.array(z.discriminatedUnion('kind', [manualStep, httpStep])).min(1),
});

/** Section `runbooks`. */
export const runbooksConfig = z.strictObject({
  /**
   * What becomes of a step of which nobody knows whether it was carried out, because the process ended meanwhile: it counts as failed, for
   * people to look at, or is carried out again under its `Idempotency-Key`.
   */
  uncertain_steps: z.enum(['leave', 'repeat']).default('leave'),
  /** Hosts (with port, where it is not the default one) that HTTP steps may reach. None named: this machine only. */
  allowed_hosts: z
    .array(
      z
        .string()
        .min(1)
        .transform((host) => host.toLowerCase()),
    )
    .default([]),
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

/** Guardrail: whether an HTTP step may go to this URL. With no host allowed by name, loopback is what is left. */
export function isAllowedHost(url: string, allowedHosts: readonly string[]): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, host, hostname } = new URL(url);
  if (protocol !== 'http:' && protocol !== 'https:') return false;
  if (allowedHosts.length > 0) return allowedHosts.includes(host);
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
