import type { Table } from '../engine/index.ts';
import type { NotifyEffect, TocsinFrame } from '../incident/index.ts';
import { timeColumn } from './columns.ts';
import type { RowEmitter } from './row-emitter.ts';

/** What is remembered of a page until its delivery to an integration has ended. */
export interface RememberedPage {
  readonly pageId: string;
  readonly domain: string;
  readonly receiver: string;
  readonly atMs: number;
}

/** Rows of tables `pages` (what was to be sent) and `deliveries` (how the sending ended). */
export class PageProjection {
  readonly #sent: Table<RememberedPage>;
  readonly #rows: RowEmitter;

  constructor(options: { readonly sent: Table<RememberedPage>; readonly rows: RowEmitter }) {
    this.#sent = options.sent;
    this.#rows = options.rows;
  }

  onFrame(frame: TocsinFrame): void {
    this.#projectDelivery(frame);
    if (frame.flow.pages.length === 0 && frame.effects.length === 0) return;
    const domains = this.#rememberEffects(frame);
    for (const page of frame.flow.pages) {
      this.#rows.push('pages', {
        domain: domains.get(page.id) ?? '',
        page_id: page.id,
        receiver: page.receiver,
        group_key: page.groupKey,
        incident_id: page.incidentId ?? '',
        status: page.status,
        reason: page.reason,
        fingerprints: page.fingerprints,
      });
    }
  }

  #rememberEffects(frame: TocsinFrame): ReadonlyMap<string, string> {
    const domains = new Map<string, string>();
    for (const effect of frame.effects) {
      if (effect.kind !== 'notify') continue;
      const { pageId, receiver, incident, alerts } = (effect as NotifyEffect).payload;
      const domain = incident?.domain ?? alerts[0]?.alert.domain ?? '';
      domains.set(pageId, domain);
      this.#sent.set(effect.id, { pageId, domain, receiver, atMs: frame.timeMs });
    }
    return domains;
  }

  #projectDelivery({ entry, timeMs }: TocsinFrame): void {
    if (entry?.kind === 'claim' && entry.payload.kind === 'notify' && entry.payload.isRepeated)
      this.#push(entry.payload.effectId, { status: 'unknown', code: '', message: '' }, timeMs);
    if (entry?.kind !== 'fact' || entry.payload.kind !== 'notify') return;
    const { effectId, outcome } = entry.payload;
    const { code, message } = outcome.status === 'failed' ? outcome : { code: '', message: '' };
    const status = code === 'TOC_EFFECT_UNCERTAIN' ? 'unknown' : outcome.status;
    this.#push(effectId, { status, code, message }, timeMs);
    this.#sent.delete(effectId);
  }

  #push(
    effectId: string,
    end: { readonly status: string; readonly code: string; readonly message: string },
    timeMs: number,
  ): void {
    const page = this.#sent.get(effectId);
    this.#rows.push('deliveries', {
      domain: page?.domain ?? '',
      page_id: page?.pageId ?? effectId,
      receiver: page?.receiver ?? '',
      ...end,
      latency_ms: page ? timeMs - page.atMs : 0,
      sent_at: timeColumn(page?.atMs ?? timeMs),
    });
  }
}
