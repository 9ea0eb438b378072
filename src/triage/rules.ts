import { compileMatchers, matchesAll, type Matcher, type Severity } from '../alert/index.ts';
import type { Category, Priority, Reason } from '../incident/index.ts';
import type { TriageConfig, TriageRule } from './config.ts';
import type { Member } from './triage-signal.ts';

/** What the rules overrule, with a reason for each. */
export interface Overrules {
  readonly priority: Priority | null;
  readonly severity: Severity | null;
  readonly category: Category | null;
  readonly reasons: readonly Reason[];
}

/** The rules of `triage.rules`, ready to run. */
export class TriageRules {
  readonly #rules: readonly { readonly rule: TriageRule; readonly matchers: readonly Matcher[] }[];

  constructor(config: TriageConfig) {
    this.#rules = config.rules.flatMap((rule) => {
      const compiled = compileMatchers(rule.matchers);
      return compiled.ok ? [{ rule, matchers: compiled.matchers }] : [];
    });
  }

  /** What the rules say of an incident with these members. */
  apply(members: readonly Member[]): Overrules {
    let priority: Priority | null = null;
    let severity: Severity | null = null;
    let category: Category | null = null;
    const reasons: Reason[] = [];
    for (const { rule, matchers } of this.#rules) {
      if (!members.some(({ signal }) => matchesAll(matchers, signal.labels))) continue;
      const sets: string[] = [];
      if (priority === null && rule.priority) sets.push(`priority ${(priority = rule.priority)}`);
      if (severity === null && rule.severity) sets.push(`severity ${(severity = rule.severity)}`);
      if (category === null && rule.category) sets.push(`category ${(category = rule.category)}`);
      if (sets.length > 0) {
        reasons.push({ stage: 'triage', code: 'rule', text: `rule "${rule.name}" sets ${sets.join(', ')}` });
      }
    }
    return { priority, severity, category, reasons };
  }
}
