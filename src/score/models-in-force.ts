import type { StageContext, Table } from '../engine/index.ts';
import { fitsFeatures, readScoreModel, type ModelTexts, type ScoreModel } from './model.ts';

/** A model that somebody chose. */
interface Chosen {
  readonly model: ScoreModel;
  readonly by: string;
  readonly sinceMs: number;
  /** `score.model` at that time: another name later on counts as another choice. */
  readonly configured: string;
}

/** Who put a model in force. */
export interface ModelView {
  readonly name: string;
  readonly hash: string;
  /** Null where the configuration names it. */
  readonly by: string | null;
  readonly sinceMs: number | null;
}

export type ChoiceOutcome =
  | { readonly ok: true; readonly model: ScoreModel | null }
  | { readonly ok: false; readonly why: string };

/** Which model scores, and which one beside it: the configuration names one, commands may choose another. Whoever spoke last is heard. */
export class ModelsInForce {
  readonly #chosen: Table<Chosen>;
  #configured: { readonly name: string; readonly model: ScoreModel | null } = { name: '', model: null };

  constructor(context: Pick<StageContext, 'table'>) {
    this.#chosen = context.table('models');
  }

  /** Takes note of what the configuration names. A choice that was made under another name gives way to it. */
  configure(name: string, model: ScoreModel | null): void {
    this.#configured = { name, model: usable(model) };
    if (this.#chosen.get('active')?.configured !== name) this.#chosen.delete('active');
  }

  get active(): ScoreModel | null {
    const chosen = this.#chosen.get('active');
    return chosen ? usable(chosen.model) : this.#configured.model;
  }

  get candidate(): ScoreModel | null {
    return usable(this.#chosen.get('candidate')?.model ?? null);
  }

  /** Puts a model in force, or lets it score beside; null ends either. A model that is not what it says is refused. */
  choose(
    place: 'active' | 'candidate',
    texts: ModelTexts | null,
    who: { readonly by: string; readonly timeMs: number },
  ): ChoiceOutcome {
    if (texts === null) {
      this.#chosen.delete(place);
      return { ok: true, model: this[place] };
    }
    const outcome = readScoreModel(texts);
    if (!outcome.ok) return outcome;
    const { model } = outcome;
    this.#chosen.set(place, { model, by: who.by, sinceMs: who.timeMs, configured: this.#configured.name });
    return { ok: true, model };
  }

  view(place: 'active' | 'candidate'): ModelView | null {
    const model = this[place];
    if (!model) return null;
    const chosen = this.#chosen.get(place);
    return {
      name: model.name,
      hash: model.hash,
      by: chosen?.by ?? null,
      sinceMs: chosen?.sinceMs ?? null,
    };
  }
}

/** A model that this code computes no features for, as after an upgrade, judges nothing. */
function usable(model: ScoreModel | null): ScoreModel | null {
  return model && fitsFeatures(model.features) ? model : null;
}
