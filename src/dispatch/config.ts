import { z } from 'zod';
import { compileMatcher, durationSchema, matchersSchema, type MatcherText } from '../alert/index.ts';
import { priorities } from '../incident/index.ts';

const equalities = z.record(z.string().min(1), z.string()).default({});

const patterns = z
  .record(z.string().min(1), z.string())
  .superRefine((values, context) => {
    for (const [name, value] of Object.entries(values)) {
      const compiled = compileMatcher({ name, value, isRegex: true, isEqual: true });
      if (!compiled.ok) context.addIssue({ code: 'custom', path: [name], message: compiled.error });
    }
  })
  .default({});

const groupBy = z
  .array(z.string().min(1))
  .refine((labels) => new Set(labels).size === labels.length, 'a label must not be named twice')
  .refine((labels) => !labels.includes('...') || labels.length === 1, "'...' must stand alone");

/** A route as Alertmanager writes it, plus `min_priority`. What a route leaves open it has from its parent. */
const routeNode = z.strictObject({
  receiver: z.string().min(1).optional(),
  matchers: matchersSchema.prefault([]),
  match: equalities,
  match_re: patterns,
  continue: z.boolean().default(false),
  /** Labels that make a group; `['...']` is all of them. The label `incident` stands for the alert's incident. */
  group_by: groupBy.optional(),
  group_wait: durationSchema.optional(),
  group_interval: durationSchema.refine((ms) => ms > 0, 'must be more than zero').optional(),
  repeat_interval: durationSchema.refine((ms) => ms > 0, 'must be more than zero').optional(),
  /** Names from `time_intervals`: while one of them holds, the route notifies of nothing. Not inherited. */
  mute_time_intervals: z.array(z.string()).default([]),
  /** Names from `time_intervals`: the route notifies only while one of them holds. Not inherited. */
  active_time_intervals: z.array(z.string()).default([]),
  /** Groups of an incident wait until its priority is at least this. */
  min_priority: z.enum(priorities as [string, ...string[]]).optional(),
  get routes() {
    return z.array(routeNode).default([]);
  },
});

/** Section `route`: the root of the tree. It takes every alert, so that it has a receiver and no matchers. */
export const routeConfig = routeNode
  .refine((route) => route.receiver !== undefined, {
    path: ['receiver'],
    message: 'the root route needs a receiver',
  })
  .refine((route) => matchersOf(route).length === 0, { message: 'the root route must not have any matchers' })
  .refine((route) => !route.continue, { path: ['continue'], message: 'the root route cannot continue' })
  .refine((route) => route.mute_time_intervals.length === 0, {
    path: ['mute_time_intervals'],
    message: 'the root route must not have any mute time intervals',
  })
  .refine((route) => route.active_time_intervals.length === 0, {
    path: ['active_time_intervals'],
    message: 'the root route must not have any active time intervals',
  });

/** Section `dispatch`. */
export const dispatchConfig = z.strictObject({
  /**
   * Nothing but Alertmanager's own rules: `incident` in `group_by` is a label like any other, and a reload starts the clocks of all
   * groups anew.
   */
  strict_alertmanager: z.boolean().default(false),
  /**
   * What becomes of a page of which nobody knows whether it was sent, because the process ended meanwhile, where the receiver cannot tell one
   * that comes twice. Webhooks, PagerDuty, Opsgenie, VictorOps and NATS can: to them it is sent again in any case, under its key.
   */
  uncertain_pages: z.enum(['resend', 'leave']).default('resend'),
});

export type RouteConfig = z.output<typeof routeNode>;
export type DispatchConfig = z.output<typeof dispatchConfig>;

/** All matchers of a route, those of the older forms included. */
export function matchersOf({ matchers, match, match_re }: RouteConfig): MatcherText[] {
  return [
    ...Object.entries(match).map(([name, value]) => ({ name, value, isRegex: false, isEqual: true })),
    ...Object.entries(match_re).map(([name, value]) => ({ name, value, isRegex: true, isEqual: true })),
    ...matchers,
  ];
}
