import { setTimeout as sleep } from 'node:timers/promises';
import { partitionCount, type Scene } from './scene.ts';
import type { TocsinVictim } from './victim.ts';

/** What the processes say of themselves at one moment. */
interface FleetState {
  /** How many processes say that they lead each partition. */
  readonly leaders: readonly number[];
  readonly lag: number;
  readonly inFlight: number;
  readonly rowsPending: number;
  readonly unreachable: readonly string[];
}

const roundMs = 500;
/** So many rounds in a row nothing may be under way: what a timer lets leave a little later is seen too. */
const quietRounds = 8;

/** Resolves once all partitions are led and nothing is under way any more. Rejects after `patienceMs` with what is. */
export async function settled({ gateways, owners }: Scene, patienceMs: number): Promise<void> {
  const untilMs = performance.now() + patienceMs;
  let quiet = 0;
  let state: FleetState;
  do {
    state = await look([...gateways, ...owners]);
    const isQuiet =
      state.unreachable.length === 0 &&
      state.leaders.every((count) => count === 1) &&
      state.lag + state.inFlight + state.rowsPending === 0;
    quiet = isQuiet ? quiet + 1 : 0;
    if (quiet >= quietRounds) return;
    await sleep(roundMs);
  } while (performance.now() < untilMs);
  throw new Error(`it has not settled after ${Math.round(patienceMs / 1000)} s: ${JSON.stringify(state)}`);
}

async function look(processes: readonly TocsinVictim[]): Promise<FleetState> {
  const texts = await Promise.all(processes.map(metricsOf));
  const unreachable = processes.filter((_, index) => texts[index] === null).map(({ name }) => name);
  const all = texts.filter((text) => text !== null);
  const sum = (name: string): number =>
    all.reduce((total, text) => total + valuesOf(text, name).reduce((a, { value }) => a + value, 0), 0);
  const leaders = Array.from({ length: partitionCount }, (_, partition) =>
    all
      .flatMap((text) => valuesOf(text, 'tocsin_partition_led'))
      .filter(({ labels }) => labels.includes(`partition="${partition}"`))
      .reduce((total, { value }) => total + value, 0),
  );
  return {
    leaders,
    lag: sum('tocsin_log_lag_entries'),
    inFlight: sum('tocsin_effects_in_flight'),
    rowsPending: sum('tocsin_history_rows_pending'),
    unreachable,
  };
}

function valuesOf(text: string, name: string): { labels: string; value: number }[] {
  const pattern = new RegExp(`^${name}(\\{[^}]*\\})? (\\S+)$`, 'gm');
  return [...text.matchAll(pattern)].map(([, labels = '', value]) => ({ labels, value: Number(value) }));
}

async function metricsOf({ url }: TocsinVictim): Promise<string | null> {
  try {
    const response = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(3000) });
    return await response.text();
  } catch {
    return null;
  }
}
