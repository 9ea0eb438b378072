import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { setTimeout as delay } from 'node:timers/promises';
import { partitionCount } from './scene.ts';

export interface SettleOptions {
  readonly nats: NatsConnection;
  readonly ownerUrls: readonly string[];
  readonly patienceMs: number;
  readonly say: (text: string) => void;
}

/** Where each partition's log stood when everything was folded, delivered and written. */
export type Settled = ReadonlyMap<number, number>;

const turnMs = 1000;
const sayEveryTurns = 10;
/** Longer than a group waits for its next flush, and that twice. */
const calmTurns = 13;

/**
 * Waits until every partition is led by one owner that has folded the whole log, no page is on its way, and no row waits, and until this
 * has been so for longer than groups wait. Rejects with what is missing once `patienceMs` are over.
 */
export async function settle({ nats, ownerUrls, patienceMs, say }: SettleOptions): Promise<Settled> {
  const manager = await jetstreamManager(nats, { timeout: 20_000 });
  const untilMs = performance.now() + patienceMs;
  let calmCount = 0;
  for (let turn = 1; ; turn++) {
    const positions = new Map<number, number>();
    const missing = await lookAt(ownerUrls, positions);
    for (const [partition, position] of positions) {
      const { state } = await manager.streams.info(`tocsin-log-${partition}`);
      if (state.last_seq > position)
        missing.push(`partition ${partition}: ${state.last_seq - position} entries`);
    }
    calmCount = missing.length === 0 ? calmCount + 1 : 0;
    if (calmCount >= calmTurns) return positions;
    if (performance.now() > untilMs)
      throw new Error(`it has not settled within ${patienceMs / 1000} s: ${missing.join(', ')}`);
    if (turn % sayEveryTurns === 0)
      say(missing.length === 0 ? `settled for ${calmCount} s` : `waiting for ${missing.join(', ')}`);
    await delay(turnMs);
  }
}

/** What is missing by the owners' own account. */
async function lookAt(ownerUrls: readonly string[], positions: Map<number, number>): Promise<string[]> {
  const missing: string[] = [];
  const texts = await Promise.all(ownerUrls.map(metricsOf));
  for (const [index, text] of texts.entries()) {
    if (text === null) {
      missing.push(`an answer of owner ${index + 1}`);
      continue;
    }
    const led = [...text.matchAll(/^tocsin_partition_led\{partition="(\d+)"\} 1$/gm)].map(([, id]) =>
      Number(id),
    );
    for (const partition of led) {
      if (positions.has(partition)) missing.push(`partition ${partition} is led twice`);
      positions.set(partition, gauge(text, `tocsin_log_position{partition="${partition}"}`));
      const inFlight = gauge(text, `tocsin_effects_in_flight{partition="${partition}"}`);
      const lag = gauge(text, `tocsin_log_lag_entries{partition="${partition}"}`);
      if (inFlight > 0) missing.push(`partition ${partition}: ${inFlight} effects`);
      if (lag > 0) missing.push(`partition ${partition}: lag ${lag}`);
    }
    const rows = gauge(text, 'tocsin_history_rows_pending');
    if (rows > 0) missing.push(`owner ${index + 1}: ${rows} rows`);
  }
  for (let partition = 0; partition < partitionCount; partition++)
    if (!positions.has(partition)) missing.push(`a leader of partition ${partition}`);
  return missing;
}

async function metricsOf(url: string): Promise<string | null> {
  try {
    const response = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(5000) });
    return await response.text();
  } catch {
    return null;
  }
}

function gauge(text: string, name: string): number {
  const line = text.split('\n').find((line) => line.startsWith(`${name} `));
  return line === undefined ? 0 : Number(line.slice(name.length + 1));
}
