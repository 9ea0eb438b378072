import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import type { Random } from '../simulation/random.ts';

export interface LoadOptions {
  /** Where gateways answer. */
  readonly gateways: readonly string[];
  readonly natsUrls: readonly string[];
  /** Alerts that the configuration of a platform would send: their labels and annotations. */
  readonly templates: readonly AlertTemplate[];
  readonly alertsPerSecond: number;
  readonly random: Random;
}

export interface AlertTemplate {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** What senders were told. Names are those of the label `chaos_id`. */
export interface Ledger {
  /** Alerts of which somebody was told that they are durable. */
  readonly fired: Set<string>;
  readonly resolved: Set<string>;
  /** Alerts that were sent at all. */
  readonly tried: Set<string>;
  /** How often each was sent, by `reportKey`. */
  readonly attempts: Map<string, number>;
  attemptCount: number;
  refusedCount: number;
}

/** Names the beginning of an alert, or its end. */
export function reportKey(what: 'fired' | 'resolved', id: string): string {
  return `${what} ${id}`;
}

interface Sent {
  readonly id: string;
  readonly domain: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
}

export const domains = ['shop', 'payments', 'search', 'mail', 'media', 'billing', 'edge', 'data'];
const services = ['cart', 'checkout', 'ledger', 'index', 'inbox', 'encoder', 'invoice', 'cdn'];
const senderCount = 6;
const attemptMs = 5_000;
const pauseMs = 250;

/**
 * Senders that do what platforms do: each sends some alerts at once, to a gateway by HTTP or to a domain's subject by NATS, again and again
 * until it is told that they are kept, and later sends the end of most of them.
 */
export class Load {
  readonly ledger: Ledger = {
    fired: new Set(),
    resolved: new Set(),
    tried: new Set(),
    attempts: new Map(),
    attemptCount: 0,
    refusedCount: 0,
  };
  readonly #options: LoadOptions;
  readonly #stop = new AbortController();
  readonly #ends: { readonly dueMs: number; readonly sent: Sent }[] = [];
  #senders: Promise<unknown> = Promise.resolve();
  #connection: NatsConnection | null = null;
  #count = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#connection = await connect({
      servers: [...this.#options.natsUrls],
      maxReconnectAttempts: -1,
      reconnectTimeWait: 200,
    });
    this.#senders = Promise.all(Array.from({ length: senderCount }, (_, index) => this.#send(index)));
    // Told by `finish`.
    this.#senders.catch(() => undefined);
  }

  /** Begins nothing new, and goes on until everything that was begun is kept. */
  async finish(): Promise<void> {
    this.#stop.abort();
    await this.#senders;
    await this.#connection?.close();
  }

  async #send(index: number): Promise<void> {
    const { random: all, alertsPerSecond } = this.#options;
    const random = all.fork(`sender ${index}`);
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const due = this.#takeDue();
      if (due.length > 0) await this.#deliver(due, 'resolved', random);
      const batch = Array.from({ length: random.integer(1, 5) }, () => this.#next(random));
      await this.#deliver(batch, 'fired', random);
      for (const sent of batch) {
        this.#ends.push({ dueMs: performance.now() + random.between(3_000, 40_000), sent });
      }
      const meanMs = (3 * senderCount * 1000) / alertsPerSecond;
      await sleep(random.between(0, 2 * meanMs), undefined, { signal }).catch(() => undefined);
    }
  }

  #takeDue(): Sent[] {
    const now = performance.now();
    const due = this.#ends.filter(({ dueMs }) => dueMs <= now).slice(0, 5);
    for (const one of due) this.#ends.splice(this.#ends.indexOf(one), 1);
    return due.map(({ sent }) => sent);
  }

  #next(random: Random): Sent {
    const id = `c${++this.#count}`;
    const { labels, annotations } = random.pick(this.#options.templates);
    const domain = random.pick(domains);
    const service = random.pick(services);
    return {
      id,
      domain,
      labels: { ...labels, domain, service, instance: `host-${random.integer(1, 200)}`, chaos_id: id },
      annotations,
      startsAt: new Date().toISOString(),
    };
  }

  /** Sends until they are kept. All of one batch that goes by NATS are of one domain's subject; the label says of which each is. */
  async #deliver(batch: readonly Sent[], what: 'fired' | 'resolved', random: Random): Promise<void> {
    const { ledger } = this;
    const alerts = batch.map(({ labels, annotations, startsAt }) => ({
      labels,
      annotations,
      startsAt,
      endsAt: new Date(Date.now() + (what === 'fired' ? 6 * 3_600_000 : -1)).toISOString(),
    }));
    for (const { id } of batch) ledger.tried.add(id);
    for (;;) {
      ledger.attemptCount++;
      for (const { id } of batch) {
        const key = reportKey(what, id);
        ledger.attempts.set(key, (ledger.attempts.get(key) ?? 0) + 1);
      }
      const isKept = random.chance(0.3)
        ? await this.#sendByNats(alerts, batch[0]!.domain)
        : await this.#sendByHttp(alerts, random.pick(this.#options.gateways));
      if (isKept) break;
      ledger.refusedCount++;
      await sleep(pauseMs);
    }
    for (const { id } of batch) ledger[what].add(id);
  }

  async #sendByHttp(alerts: unknown, gateway: string): Promise<boolean> {
    try {
      const response = await fetch(`${gateway}/api/v2/alerts`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(alerts),
        signal: AbortSignal.timeout(attemptMs),
      });
      const text = await response.text();
      if (response.status === 400) throw new Error(`the load sent what is refused: ${text}`);
      return response.status === 200;
    } catch (error) {
      if (error instanceof Error && error.message.startsWith('the load')) throw error;
      return false;
    }
  }

  async #sendByNats(alerts: readonly unknown[], domain: string): Promise<boolean> {
    try {
      const answer = await this.#connection!.request(`tocsin.in.${domain}`, JSON.stringify(alerts), {
        timeout: attemptMs,
      });
      const { accepted } = answer.json<{ accepted: number }>();
      return accepted === alerts.length;
    } catch {
      return false;
    }
  }
}
