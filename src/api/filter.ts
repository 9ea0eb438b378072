import { labelsToObject, parseMatcher, type MatcherText } from '../alert/index.ts';
import { z } from 'zod';
import type { AlertQuery, AlertView, SilenceView } from './ports.ts';
import { compileReceiver } from './select.ts';
import { RequestInvalid } from './schema.ts';

/** What go-swagger takes for true (go-openapi/swag, `ConvertBool`); anything else is false, and nothing at all is true. */
const trueTexts = new Set(['', 'true', '1', 'yes', 'ok', 'y', 'on', 'selected', 'checked', 't', 'enabled']);

const flag = z
  .string()
  .default('true')
  .transform((text) => trueTexts.has(text.toLowerCase()));

const texts = z
  .union([z.string(), z.array(z.string())])
  .optional()
  .transform((value) => (value === undefined ? [] : [value].flat()));

/** Query of `GET /api/v2/alerts` and `/alerts/groups`, as in Alertmanager's API v2. */
export const alertQuery = z.object({
  active: flag,
  silenced: flag,
  inhibited: flag,
  unprocessed: flag,
  muted: flag,
  filter: texts,
  receiver: z.string().optional(),
});

export const silenceQuery = z.object({ filter: texts });

/** Reads `filter` parameters. Throws `RequestInvalid` naming the one that does not parse. */
export function parseFilter(filter: readonly string[]): readonly MatcherText[] {
  return filter.map((text) => {
    const parsed = parseMatcher(text);
    if (!parsed.ok) throw new RequestInvalid(`filter: bad matcher format: ${text}: ${parsed.error}`);
    const { name, value, isRegex, isEqual } = parsed.matcher;
    return { name, value, isRegex, isEqual };
  });
}

/** Reads what `GET /api/v2/alerts` and `/alerts/groups` are asked for. Throws `RequestInvalid` where it does not compile. */
export function parseAlertQuery({
  filter,
  receiver = '',
  ...flags
}: z.output<typeof alertQuery>): AlertQuery {
  const matchers = parseFilter(filter);
  const compiled = compileReceiver(receiver);
  if (!compiled.ok) throw new RequestInvalid(`receiver: failed to parse receiver param: ${compiled.error}`);
  const { active, silenced, inhibited } = flags;
  return { active, silenced, inhibited, matchers, receiver };
}

/** An alert as `gettableAlert` of Alertmanager's API v2. */
export function wireAlert(view: AlertView): Record<string, unknown> {
  const { alert, silencedBy, inhibitedBy } = view;
  return {
    annotations: labelsToObject(alert.annotations),
    endsAt: wireTime(alert.endsAtMs),
    fingerprint: alert.fingerprint,
    receivers: view.receivers.map((name) => ({ name })),
    startsAt: wireTime(alert.startsAtMs),
    status: {
      inhibitedBy,
      silencedBy,
      state: silencedBy.length > 0 || inhibitedBy.length > 0 ? 'suppressed' : 'active',
    },
    updatedAt: wireTime(alert.receivedAtMs),
    ...(alert.generatorUrl === '' ? {} : { generatorURL: alert.generatorUrl }),
    labels: labelsToObject(alert.labels),
  };
}

/** A silence as `gettableSilence` of Alertmanager's API v2. */
export function wireSilence({ silence, state, updatedAtMs }: SilenceView): Record<string, unknown> {
  return {
    id: silence.id,
    status: { state },
    updatedAt: wireTime(updatedAtMs),
    comment: silence.comment,
    createdBy: silence.createdBy,
    endsAt: wireTime(silence.endsAtMs),
    matchers: silence.matchers.map(({ name, value, isRegex, isEqual }) => ({
      isEqual,
      isRegex,
      name,
      value,
    })),
    startsAt: wireTime(silence.startsAtMs),
  };
}

/** RFC 3339 in milliseconds; years outside of 0..9999, which the format cannot say, are clamped. */
export function wireTime(timeMs: number): string {
  return new Date(Math.min(Math.max(timeMs, earliestMs), latestMs)).toISOString();
}

const earliestMs = Date.parse('0000-01-01T00:00:00.000Z');
const latestMs = Date.parse('9999-12-31T23:59:59.999Z');
