import { labelValue, parseSeverity, severityRank, type Alert, type Severity } from '../alert/index.ts';
import { Table } from '../engine/index.ts';
import type { DedupConfig } from './config.ts';
import { Families, type ShapeRow } from './families.ts';
import { maskTemplate } from './mask.ts';
import { OpenSignals } from './open-signals.ts';
import { createScope, type ScopeOf } from './scope.ts';
import { Sketches, textOf, type Sketch } from './sketch.ts';

/** Alerts of which dedup would make one signal, as far as their texts and labels say. */
export interface TextGroup {
  /** Counted from 0, in the order in which the first of each group came. */
  readonly order: number;
  /** The text of its first alert. */
  readonly text: string;
  readonly template: string;
  readonly scope: string;
  readonly sketch: Sketch;
  readonly row: { readonly severity: Severity };
}

/**
 * What dedup takes as one thing, without time: the same masking, learning and comparing as in the stage, over alerts that are all open
 * at once. Equal label sets with different texts are different things here. First all alerts are learned from, then placed.
 */
export class TextGroups {
  readonly #config: DedupConfig;
  readonly #sketches = new Sketches(new Families(new Table<ShapeRow>('families')));
  readonly #scopeOf: ScopeOf;
  readonly #open: OpenSignals<TextGroup>;
  #count = 0;

  constructor(config: DedupConfig) {
    this.#config = config;
    this.#scopeOf = createScope(config);
    this.#open = new OpenSignals(config.similarity);
  }

  learn(alert: Alert): void {
    const text = textOf(alert);
    this.#sketches.learn(alert.domain, alert.labels, text, maskTemplate(text), []);
  }

  /** The group of an alert, which may be a new one, and how similar its first text is, 0..1. */
  place(alert: Alert): { readonly group: TextGroup; readonly similarity: number } {
    const { domain, labels } = alert;
    const text = textOf(alert);
    const { sketch, template } = this.#sketches.of(domain, labels, text, maskTemplate(text));
    const end = alert.endsAtMs <= alert.receivedAtMs ? 'resolved' : 'firing';
    const scope = `${end}\n${this.#scopeOf(domain, labels, sketch.telling)}`;
    const severity = parseSeverity(labelValue(labels, this.#config.severity_label));
    const match = this.#open.best(scope, sketch, severityRank(severity));
    if (match?.isTaken) return { group: match.signal, similarity: match.similarity };
    const group = { order: this.#count++, text, template, scope, sketch, row: { severity } };
    this.#open.add(group);
    return { group, similarity: 1 };
  }
}
