import { Fold, encode, type Effect, type Entry, type Fact } from '../src/engine/index.ts';
import { effectsByPosition } from './watch.ts';
import type { World } from './world.ts';

/** What a fold that nothing ever happened to makes of the log. */
interface Plain<E extends Entry, Flow> {
  readonly fold: Fold<E, Flow>;
  readonly entries: readonly E[];
  readonly effects: readonly Effect[];
  readonly effectsAt: ReadonlyMap<number, string>;
  /** All that was said of each row of the history. */
  readonly rows: ReadonlyMap<string, ReadonlySet<string>>;
}

/**
 * Looks at what a run has left behind, once everything was healed, settled (at `settledPosition` of the log) and stopped. What came into
 * the log after the last checkpoint, while the owner stopped, is for the next one.
 */
export async function checkRun<E extends Entry, Flow>(
  world: World<E, Flow>,
  settledPosition: number,
): Promise<void> {
  const { store, log, watch } = world;
  checkAcknowledged(world);
  if (store.position < settledPosition || store.position > log.kept.length) {
    watch.add(
      `state: the last checkpoint is at ${store.position}, and all was settled at ${settledPosition}`,
    );
    return;
  }
  const plain = await foldPlainly(world, store.position);
  checkFolds(world, plain);
  checkState(world, plain);
  checkHistory(world, plain);
  checkReceiver(world, plain);
}

async function foldPlainly<E extends Entry, Flow>(
  { domain, log }: World<E, Flow>,
  lastPosition: number,
): Promise<Plain<E, Flow>> {
  const fold = domain.createFold();
  fold.restore(null);
  const entries = log.kept.slice(0, lastPosition).map(({ text }) => JSON.parse(text) as E);
  const { frames, effects, rows } = await fold.apply({ firstPosition: 1, entries });
  const rowTexts = new Map<string, Set<string>>();
  for (const { table, id, row } of rows) {
    const name = `${table}/${id}`;
    const texts = rowTexts.get(name) ?? new Set();
    rowTexts.set(name, texts.add(JSON.stringify(row)));
  }
  return { fold, entries, effects, effectsAt: effectsByPosition(frames), rows: rowTexts };
}

/** Every acknowledged report is in the log exactly once; none is there twice. */
function checkAcknowledged<E extends Entry, Flow>({ ledger, log, watch }: World<E, Flow>): void {
  const counts = new Map<string, number>();
  for (const { id } of log.kept) counts.set(id, (counts.get(id) ?? 0) + 1);
  for (const id of ledger.acknowledged) {
    const count = counts.get(id) ?? 0;
    if (count !== 1) watch.add(`acknowledged: ${id} is ${count} times in the log`);
  }
  for (const id of ledger.tried) {
    const count = counts.get(id) ?? 0;
    if (count > 1) watch.add(`acknowledged: ${id} is ${count} times in the log`);
    // Another attempt at the same thing under another id.
    const [first, ...again] = [...ledger.tried].filter((other) => other.startsWith(`${id}/`) || other === id);
    if (first && again.filter((other) => counts.has(other)).length + (counts.has(first) ? 1 : 0) > 1)
      watch.add(`acknowledged: one request is in the log more than once, as ${id} and under other ids`);
  }
}

/** Every session's fold said at each position what the plain one says. */
function checkFolds<E extends Entry, Flow>({ watch }: World<E, Flow>, { effectsAt }: Plain<E, Flow>): void {
  for (const { session, position, effects } of watch.folded) {
    if (effects !== effectsAt.get(position))
      watch.add(`fold: ${session} has other effects at position ${position} than a plain fold`);
  }
}

/** The last checkpoint is the state of the plain fold, byte for byte. */
function checkState<E extends Entry, Flow>(
  { domain, store, watch }: World<E, Flow>,
  { fold }: Plain<E, Flow>,
): void {
  const restored = domain.createFold();
  restored.restore(store.readCheckpoint());
  if (Buffer.compare(encode(restored.snapshot()), encode(fold.snapshot())) !== 0)
    watch.add('state: the last checkpoint is not what a plain fold comes to');
}

/** The history has every row of the plain fold, and no other. */
function checkHistory<E extends Entry, Flow>(
  { history, watch }: World<E, Flow>,
  { rows }: Plain<E, Flow>,
): void {
  for (const name of rows.keys()) if (!history.rows.has(name)) watch.add(`history: row ${name} is missing`);
  for (const [name, text] of history.rows) {
    if (!rows.get(name)?.has(text)) watch.add(`history: row ${name} is none of a plain fold`);
  }
}

/**
 * What ended as done was received, once by its key (that is the receiver's part), with the payload of the plain fold; of one subject in
 * the order of emission.
 */
function checkReceiver<E extends Entry, Flow>(
  { receiver, domain, watch }: World<E, Flow>,
  { effects, entries }: Plain<E, Flow>,
): void {
  const emitted = new Map(effects.map(({ id, payload }, place) => [id, { place, payload }]));
  if (emitted.size < effects.length) watch.add('fold: an effect id was emitted twice');
  const taken = new Set(receiver.taken.map(({ id }) => id));
  for (const { kind, payload } of entries) {
    if (kind !== 'fact') continue;
    const { effectId, kind: effectKind, outcome } = payload as Fact;
    if (domain.sentKinds.includes(effectKind) && outcome.status === 'done' && !taken.has(effectId))
      watch.add(`receiver: ${effectId} ended as done and was not received`);
  }
  const last = new Map<string, { readonly id: string; readonly place: number }>();
  for (const effect of receiver.taken) {
    const same = emitted.get(effect.id);
    if (!same || JSON.stringify(same.payload) !== JSON.stringify(effect.payload)) {
      watch.add(`receiver: ${effect.id} is no effect of a plain fold`);
      continue;
    }
    const { place } = same;
    const subject = domain.subjectOf(effect) ?? domain.laneOf(effect);
    const before = last.get(subject);
    if (before && before.place > place)
      watch.add(`order: ${effect.id} was received after ${before.id} of the same subject`);
    last.set(subject, { id: effect.id, place });
  }
}
