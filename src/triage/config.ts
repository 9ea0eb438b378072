import { z } from 'zod';
import { durationSchema, matchersSchema, severities } from '../alert/index.ts';
import { categories, priorities } from '../incident/index.ts';

const rule = z
  .strictObject({
    /** Shown as the reason. */
    name: z.string().min(1),
    /** The rule holds for an incident when one of its signals has labels that all of these match. */
    matchers: matchersSchema.refine((matchers) => matchers.length > 0, {
      error: 'must name at least one matcher',
    }),
    priority: z.enum(priorities).optional(),
    severity: z.enum(severities).optional(),
    category: z.enum(categories).optional(),
  })
  .refine(({ priority, severity, category }) => priority ?? severity ?? category, {
    error: 'must set priority, severity or category',
  });

/** The section `triage`: how incidents are ranked and how long they are kept in memory. */
export const triageConfig = z.strictObject({
  /** Overrule what triage finds. Of several rules that set the same thing the first one counts. */
  rules: z.array(rule).default([]),
  /** Points from which an incident has the priority; below all of them it is P5. */
  points: z
    .strictObject({
      P1: z.number().default(80),
      P2: z.number().default(60),
      P3: z.number().default(40),
      P4: z.number().default(20),
    })
    .refine(({ P1, P2, P3, P4 }) => P1 > P2 && P2 > P3 && P3 > P4, { error: 'must fall from P1 to P4' })
    .prefault({}),
  /** Labels that name the environment; the first one present counts. */
  environment_labels: z
    .array(z.string().min(1))
    .default(['environment', 'env', 'stage', 'deployment_environment']),
  /** A value of these labels means production when it is one of these words or has one, as `eu-prod-1` has. */
  production_values: z.array(z.string().min(1).toLowerCase()).default(['prod', 'production', 'prd', 'live']),
  /** Likewise: no customer is affected. Counts before `production_values` (`pre-prod`). A value with neither is taken as not named. */
  other_values: z
    .array(z.string().min(1).toLowerCase())
    .default(
      'dev development local lab sandbox ci demo test testing qa uat stage staging stg preprod nonprod pre non'.split(
        ' ',
      ),
    ),
  /** How many similar past incidents are asked for; 0 asks for none. */
  similar_incidents: z.int().min(0).max(50).default(5),
  /** Only incidents of at least this priority ask for them: the history has better to do in a storm of trifles. */
  similar_incidents_from: z.enum(priorities).default('P3'),
  /** How long resolved incidents are kept in memory; the history keeps them longer. */
  retention: durationSchema.prefault('24h'),
});

export type TriageConfig = z.output<typeof triageConfig>;
export type TriageRule = TriageConfig['rules'][number];
