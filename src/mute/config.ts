import { z } from 'zod';
import { compileMatcher, durationSchema, matchersSchema, type MatcherText } from '../alert/index.ts';

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

/** Section `inhibit_rules`, as in Alertmanager. `*_match` and `*_match_re` are its older forms. */
export const inhibitRulesConfig = z.array(
  z
    .strictObject({
      source_matchers: matchersSchema.prefault([]),
      source_match: equalities,
      source_match_re: patterns,
      target_matchers: matchersSchema.prefault([]),
      target_match: equalities,
      target_match_re: patterns,
      /** Labels whose values must be the same on both sides; an absent label equals an empty one. */
      equal: z.array(z.string().min(1)).default([]),
    })
    .transform((rule) => ({
      source: [
        ...rule.source_matchers,
        ...matchersOf(rule.source_match, false),
        ...matchersOf(rule.source_match_re, true),
      ],
      target: [
        ...rule.target_matchers,
        ...matchersOf(rule.target_match, false),
        ...matchersOf(rule.target_match_re, true),
      ],
      equal: rule.equal,
    })),
);

/** Section `mute`. */
export const muteConfig = z.strictObject({
  /** How long an expired silence is remembered. */
  silence_retention: durationSchema.prefault('120h'),
});

export type InhibitRulesConfig = z.output<typeof inhibitRulesConfig>;
export type MuteConfig = z.output<typeof muteConfig>;

function matchersOf(values: Readonly<Record<string, string>>, isRegex: boolean): MatcherText[] {
  return Object.entries(values).map(([name, value]) => ({ name, value, isRegex, isEqual: true }));
}
