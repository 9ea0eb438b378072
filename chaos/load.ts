import type { NatsConnection } from '@nats-io/transport-node';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { partitionOf } from '../src/engine/index.ts';
import type { Random } from '../simulation/random.ts';

/** An alert as it is posted to `/api/v2/alerts`. */
export interface SentAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt?: string;
}

/** What the senders know of one report: an alert that fires, or that it has ended. */
export interface Report {
  /** Label `chaos_id` of the alert. */
  readonly id: string;
  readonly domain: string;
  readonly isResolved: boolean;
  /** How often it was sent. */
  attemptCount: number;
  isAcknowledged: boolean;
}

export interface LoadOptions {
  readonly random: Random;
  readonly gatewayUrls: readonly string[];
  readonly nats: NatsConnection;
  readonly partitionCount: number;
  readonly alertsPerSecond: number;
}

const turnMs = 250;
const attemptTimeoutMs = 10_000;
const retryMs = 500;
const maxInFlight = 64;

/** Sends alerts as many senders do: paced, over HTTP and NATS, each again to another gateway until somebody has acknowledged it. */
export class Load {
  readonly reports: Report[] = [];
  /** Answers that no sender should get. */
  readonly defects: string[] = [];
  /** Alerts that were not made because too many were on their way. */
  heldBackCount = 0;
  readonly #options: LoadOptions;
  readonly #domains: readonly string[];
  readonly #inFlight = new Set<Promise<void>>();
  readonly #toResolve: { readonly dueMs: number; readonly alert: SentAlert }[] = [];
  readonly #giveUp = new AbortController();
  #madeCount = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#domains = domainsOf(options.partitionCount);
  }

  get acknowledgedCount(): number {
    return this.reports.filter(({ isAcknowledged }) => isAcknowledged).length;
  }

  /** Sends until `stop` is aborted. */
  async run(stop: AbortSignal): Promise<void> {
    const { alertsPerSecond } = this.#options;
    const beganMs = performance.now();
    let owedCount = 0;
    while (!stop.aborted) {
      const dueCount = Math.floor(((performance.now() - beganMs) / 1000) * alertsPerSecond);
      this.#sendDue(dueCount - owedCount);
      owedCount = dueCount;
      await delay(turnMs);
    }
  }

  /** Resolves once everything is acknowledged; after `patienceMs` what is not is given up. */
  async finish(patienceMs: number): Promise<void> {
    const timer = setTimeout(() => this.#giveUp.abort(), patienceMs);
    await Promise.all(this.#inFlight);
    clearTimeout(timer);
  }

  #sendDue(count: number): void {
    const nowMs = performance.now();
    let rest = count;
    while (rest > 0) {
      const batch = this.#batch(Math.min(rest, this.#options.random.integer(1, 12)), nowMs);
      rest -= batch.length;
      if (this.#inFlight.size >= maxInFlight) {
        this.heldBackCount += batch.length;
        continue;
      }
      const sending = this.#send(batch).finally(() => this.#inFlight.delete(sending));
      this.#inFlight.add(sending);
    }
  }

  #batch(count: number, nowMs: number): SentAlert[] {
    return Array.from({ length: count }, () => {
      const next = this.#toResolve[0];
      if (!next || next.dueMs > nowMs) return this.#alert();
      this.#toResolve.shift();
      return { ...next.alert, endsAt: new Date().toISOString() };
    });
  }

  #alert(): SentAlert {
    const { random } = this.#options;
    const number = ++this.#madeCount;
    const recorded = random.chance(0.5) ? random.pick(recordings) : generated(random);
    const labels = {
      ...recorded.labels,
      domain: random.pick(this.#domains),
      // So that groups and signals end, and others begin, while the run goes on.
      shard: String(Math.floor(number / 400)),
      chaos_id: `a${number}`,
    };
    return { labels, annotations: recorded.annotations, startsAt: new Date().toISOString() };
  }

  async #send(alerts: readonly SentAlert[]): Promise<void> {
    const { random } = this.#options;
    const byNats = random.chance(0.3);
    // A message of NATS is for one domain, by its subject.
    const parts = byNats ? [...Map.groupBy(alerts, ({ labels }) => labels['domain']!).values()] : [alerts];
    await Promise.all(parts.map((part) => this.#insist(part, byNats, random.integer(0, 1))));
  }

  async #insist(alerts: readonly SentAlert[], byNats: boolean, first: number): Promise<void> {
    const { gatewayUrls } = this.#options;
    const reports = alerts.map(({ labels, endsAt }): Report => ({
      id: labels['chaos_id']!,
      domain: labels['domain']!,
      isResolved: endsAt !== undefined,
      attemptCount: 0,
      isAcknowledged: false,
    }));
    this.reports.push(...reports);
    for (let attempt = first; !this.#giveUp.signal.aborted; attempt++) {
      for (const report of reports) report.attemptCount++;
      const url = gatewayUrls[attempt % gatewayUrls.length]!;
      if (await (byNats ? this.#request(alerts) : this.#post(url, alerts))) {
        for (const report of reports) report.isAcknowledged = true;
        this.#planEnds(alerts, reports);
        return;
      }
      await delay(retryMs);
    }
  }

  /** Only what was sent once is ended later: a copy that a gateway still held would make it fire again. */
  #planEnds(alerts: readonly SentAlert[], reports: readonly Report[]): void {
    const dueMs = performance.now() + this.#options.random.between(4000, 12_000);
    for (const [index, alert] of alerts.entries())
      if (alert.endsAt === undefined && reports[index]!.attemptCount === 1)
        this.#toResolve.push({ dueMs, alert });
  }

  async #post(url: string, alerts: readonly SentAlert[]): Promise<boolean> {
    try {
      const response = await fetch(`${url}/api/v2/alerts`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(alerts),
        signal: AbortSignal.timeout(attemptTimeoutMs),
      });
      const text = await response.text();
      if (response.ok) return true;
      if (response.status < 500) this.defects.push(`${response.status} ${text}`);
    } catch {
      // Nobody there, or no answer: the next one is asked.
    }
    return false;
  }

  async #request(alerts: readonly SentAlert[]): Promise<boolean> {
    const subject = `tocsin.in.${alerts[0]!.labels['domain']!}`;
    try {
      const answer = await this.#options.nats.request(subject, JSON.stringify(alerts), {
        timeout: attemptTimeoutMs,
      });
      const { accepted, errors, retry } = answer.json<{
        accepted: number;
        errors: string[];
        retry?: boolean;
      }>();
      if (accepted === alerts.length) return true;
      if (retry !== true) this.defects.push(`NATS: ${accepted} of ${alerts.length}, ${errors.join('; ')}`);
    } catch {
      // No server, nobody who listens, or no answer.
    }
    return false;
  }
}

/** Three domains for each partition. */
function domainsOf(partitionCount: number): string[] {
  const names = Array.from({ length: 1000 }, (_, number) => `team-${number}`);
  const byPartition = Map.groupBy(names, (name) => partitionOf(name, partitionCount));
  return Array.from({ length: partitionCount }, (_, partition) => byPartition.get(partition) ?? []).flatMap(
    (found) => found.slice(0, 3),
  );
}

type Recording = Pick<SentAlert, 'labels' | 'annotations'>;

const recordings = JSON.parse(
  readFileSync(
    join(import.meta.dirname, '../fixtures/outage/01a-alertmanager-v2-post-alerts.request.json'),
    'utf8',
  ),
) as readonly Recording[];

function generated(random: Random): Recording {
  const alertname = random.pick([
    'DiskFull',
    'ErrorRateHigh',
    'CertificateExpires',
    'QueueGrows',
    'NodeNotReady',
  ]);
  const labels = {
    alertname,
    service: random.pick(['search', 'mail', 'billing', 'checkout-api']),
    instance: `host-${random.integer(1, 40)}:9100`,
    severity: random.pick(['critical', 'warning', 'info']),
  };
  return { labels, annotations: { summary: `${alertname} on ${labels.instance}` } };
}
