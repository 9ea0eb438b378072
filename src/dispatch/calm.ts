import type { StageContext, Table } from '../engine/index.ts';
import type { Flow, Incident } from '../incident/index.ts';
import type { Routed } from './group.ts';

/** What keeps pages of incidents calm, as the flow has told so far. Groups that stand for no incident know none of it. */
export class Calm {
  /** Why a signal flaps, by its id. */
  readonly #flapping: Table<string>;

  constructor(context: StageContext) {
    this.#flapping = context.table<string>('flapping');
  }

  /** Takes over what the stages before say. Gives the signals that flap no more. */
  learn({ signalChanges }: Flow): string[] {
    const calmed: string[] = [];
    for (const { change, signal, reasons } of signalChanges) {
      if (change === 'flapping') this.#flapping.set(signal.id, reasons[0]?.text ?? 'flapping');
      else if (signal.state !== 'flapping' && this.#flapping.delete(signal.id)) calmed.push(signal.id);
    }
    return calmed;
  }

  isFlapping(signalId: string | null): boolean {
    return signalId !== null && this.#flapping.has(signalId);
  }

  /** Why a group with these alerts does not come to rest; null where it does. */
  flappingOf(alerts: readonly Routed[]): string | null {
    return this.#textsOf(alerts)[0] ?? null;
  }

  /** What a page with these alerts must say beyond the incident. */
  noticesOf(alerts: readonly Routed[], _incident: Incident): readonly string[] {
    return this.#textsOf(alerts).slice(0, maxShownTexts);
  }

  /** Each text once, in an order that a restart does not change. */
  #textsOf(alerts: readonly Routed[]): string[] {
    if (this.#flapping.size === 0) return [];
    const texts = new Set<string>();
    for (const { signalId } of alerts) {
      const text = signalId === null ? undefined : this.#flapping.get(signalId);
      if (text !== undefined) texts.add(text);
    }
    return [...texts].sort();
  }
}

const maxShownTexts = 2;
