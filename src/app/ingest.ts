import { isResolvedAt, type Alert } from '../alert/index.ts';
import type { Ingest, IngestOutcome } from '../api/index.ts';
import { TocsinError } from '../engine/index.ts';
import { decodeRequest, isSourceFormat, type DecodeContext, type Received } from '../source/index.ts';
import type { TocsinConfig } from './config-schema.ts';
import type { AlertsDraft } from './entry-codec.ts';
import type { SteadyClock } from './steady-clock.ts';
import type { Telemetry } from './telemetry.ts';

export interface IngestOptions {
  /** Keeps the reports; resolves when they are durable. */
  readonly append: (draft: AlertsDraft) => Promise<unknown>;
  readonly clock: Pick<SteadyClock, 'nowMs' | 'aheadMs'>;
  /** What decoders need of the configuration in force. */
  readonly settings: () => Omit<DecodeContext, 'nowMs'>;
  /** Why nothing can be taken at the moment, or null. */
  readonly refusal: () => TocsinError | null;
  readonly telemetry: Telemetry;
}

const retryAfterSeconds = 1;

/**
 * Decodes reports and appends them to the log. INVARIANT: `accepted` is said only of what is durable; while nothing can be kept, or
 * the fold is too far behind, the answer is `unavailable` and nothing of the request was kept.
 */
export function createIngest({ append, clock, settings, refusal, telemetry }: IngestOptions): Ingest {
  const unavailable = ({ code, message }: TocsinError): IngestOutcome => {
    telemetry.count('tocsin_requests_unavailable_total', 1, { code });
    return { status: 'unavailable', code, message, retryAfterSeconds };
  };

  return {
    async accept({ format, domain, body }) {
      const refused = refusal();
      if (refused) return unavailable(refused);
      if (!isSourceFormat(format)) throw new RangeError(`there is no format ${format}`);
      const { resolveTimeoutMs, defaultDomain, domainLabel } = settings();
      const timeMs = clock.nowMs();
      const { aheadMs } = clock;
      const context: DecodeContext = {
        nowMs: timeMs - aheadMs,
        resolveTimeoutMs,
        defaultDomain: domain ?? defaultDomain,
        domainLabel,
      };
      const received: Received = { format, context, aheadMs, body };
      const { alerts, errors, reply } = decodeRequest(received);
      if (alerts.length > 0) {
        const draft: AlertsDraft = {
          kind: 'alerts',
          timeMs,
          payload: alerts,
          received,
        };
        try {
          await append(draft);
        } catch (error) {
          if (error instanceof TocsinError) return unavailable(error);
          throw error;
        }
        telemetry.count('tocsin_alerts_received_total', alerts.length, { source: format });
        countAsAlertmanager(alerts, context.nowMs, telemetry);
      }
      if (errors.length > 0) {
        // Alertmanager counts what it refuses among what it received.
        telemetry.count('alertmanager_alerts_received_total', errors.length, { status: 'firing', version });
        telemetry.count('alertmanager_alerts_invalid_total', errors.length, { version });
        telemetry.count('tocsin_alerts_invalid_total', errors.length, { source: format });
      }
      return { status: 'accepted', acceptedCount: alerts.length, errors, ...(reply ? { reply } : {}) };
    },
  };
}

/** What decoders need of a configuration. */
export function decodeSettings({ global, source }: TocsinConfig): Omit<DecodeContext, 'nowMs'> {
  return {
    resolveTimeoutMs: global.resolve_timeout,
    defaultDomain: source.default_domain,
    domainLabel: source.domain_label,
  };
}

/** The version of Alertmanager's API. */
const version = 'v2';

function countAsAlertmanager(alerts: readonly Alert[], nowMs: number, telemetry: Telemetry): void {
  const resolved = alerts.filter((alert) => isResolvedAt(alert, nowMs)).length;
  const name = 'alertmanager_alerts_received_total';
  if (resolved > 0) telemetry.count(name, resolved, { status: 'resolved', version });
  if (resolved < alerts.length)
    telemetry.count(name, alerts.length - resolved, { status: 'firing', version });
}

/** Why reports are refused when so many entries wait to be folded in; null while they are taken. */
export function behind(lagCount: number, limit: number): TocsinError | null {
  if (lagCount <= limit) return null;
  return new TocsinError('TOC_PARTITION_BEHIND', `${lagCount} entries wait to be folded in`);
}
