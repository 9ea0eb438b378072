import type { Labels } from '../alert/index.ts';
import type { DedupConfig } from './config.ts';
import { maskTemplate, stemOf } from './mask.ts';

/** Gives the scope of an alert: a text that is equal for two alerts exactly when nothing but their wording keeps them apart. */
export type ScopeOf = (domain: string, labels: Labels, telling: string) => string;

/**
 * INVARIANT: alerts of different scope are never near-duplicates. The scope holds the domain, the telling tokens of the text
 * and every label: protected ones as they are, varying ones by their stem, all others masked.
 */
export function createScope({ protected_labels, split_by, varying_labels }: DedupConfig): ScopeOf {
  const isProtected = new Set([...protected_labels, ...split_by]);
  const isVarying = new Set(varying_labels);
  return (domain, labels, telling) => {
    const parts = [sized(domain), sized(telling)];
    for (let i = 0; i < labels.length; i += 2) {
      const name = labels[i]!;
      const value = labels[i + 1]!;
      if (isProtected.has(name)) parts.push(sized(name), sized(value));
      else if (!isVarying.has(name)) parts.push(sized(name), sized(maskTemplate(value, name)));
      else {
        const stem = stemOf(value);
        if (stem !== '') parts.push(sized(name), sized(stem));
      }
    }
    return parts.join('');
  };
}

/** With its length before it, a text cannot run into the next one, whatever it holds. */
function sized(text: string): string {
  return `${text.length}:${text}`;
}
