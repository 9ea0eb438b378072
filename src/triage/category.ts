import { labelValue } from '../alert/index.ts';
import type { Category } from '../incident/index.ts';
import { categoryTerms } from './category-terms.ts';
import type { Member, TriageSignal } from './triage-signal.ts';

/** What kind of trouble it is. */
export interface CategoryFinding {
  readonly category: Category;
  /** Share of all weight that speaks for the category, lowered while there is little; 0..1. */
  readonly confidence: number;
  /** The words that decided, the strongest first. */
  readonly words: readonly string[];
}

type Vote = readonly (readonly [category: Category, word: string, weight: number])[];

const unknown: CategoryFinding = { category: 'other', confidence: 0, words: [] };
const votesByWord = indexTerms();
/** The signal that is probably the cause says more about the kind of trouble than those that suffer from it. */
const causeFactor = 3;
/** Weight at which the confidence is about two thirds of the share. */
const settledWeight = 3;
const leastShare = 0.34;
const maxTextLength = 500;

/** Finds the category by weighted words over names and masked texts. Each distinct name and text is heard once. */
export function findCategory(members: readonly Member[], causeId: string | null): CategoryFinding {
  const weights = new Map<Category, number>();
  const words = new Map<Category, Map<string, number>>();
  const heard = new Set<string>();
  let total = 0;
  for (const { signal } of members) {
    const text = textOf(signal);
    if (heard.has(text) && signal.id !== causeId) continue;
    heard.add(text);
    const factor = signal.id === causeId ? causeFactor : 1;
    for (const [category, word, weight] of voteOf(text)) {
      total += weight * factor;
      weights.set(category, (weights.get(category) ?? 0) + weight * factor);
      const said = words.get(category) ?? new Map<string, number>();
      said.set(word, (said.get(word) ?? 0) + weight * factor);
      words.set(category, said);
    }
  }
  const [top] = [...weights].sort((a, b) => b[1] - a[1]);
  if (!top || top[1] / total < leastShare) return unknown;
  const [category, weight] = top;
  const strongest = [...(words.get(category) ?? [])].sort((a, b) => b[1] - a[1]);
  return {
    category,
    confidence: (weight / total) * (1 - Math.exp(-weight / settledWeight)),
    words: strongest.slice(0, 3).map(([word]) => word),
  };
}

function textOf(signal: TriageSignal): string {
  return `${labelValue(signal.labels, 'alertname')} ${signal.template}`.slice(0, maxTextLength);
}

/** The words of `text` that speak for a category, each once. */
function voteOf(text: string): Vote {
  const votes: (readonly [Category, string, number])[] = [];
  for (const word of wordsOf(text)) for (const vote of votesByWord.get(word) ?? []) votes.push(vote);
  return votes;
}

/** Lower-case words; `DiskWillFill` is three words, and also one (`diskwillfill`). */
function wordsOf(text: string): Set<string> {
  const words = new Set<string>();
  for (const chunk of text.split(/[^A-Za-z0-9]+/)) {
    if (chunk === '') continue;
    words.add(chunk.toLowerCase());
    for (const part of chunk.split(/(?<=[a-z0-9])(?=[A-Z])/)) words.add(part.toLowerCase());
  }
  return words;
}

function indexTerms(): ReadonlyMap<string, Vote> {
  const index = new Map<string, (readonly [Category, string, number])[]>();
  for (const [category, terms] of Object.entries(categoryTerms) as [Category, Record<string, number>][]) {
    for (const [word, weight] of Object.entries(terms)) {
      const votes = index.get(word) ?? [];
      votes.push([category, word, weight]);
      index.set(word, votes);
    }
  }
  return index;
}
