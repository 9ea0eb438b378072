import { maxSeverity, severityRank, type Severity } from '../alert/index.ts';
import { priorities, type Incident, type Priority } from '../incident/index.ts';

/** How urgent an incident was when people last looked at it. */
export interface Urgency {
  readonly priority: Priority;
  readonly severity: Severity;
}

export function urgencyOf({ priority, severity }: Incident): Urgency {
  return { priority, severity };
}

/** Whether `a` is less urgent than `b`. */
export function isLess(a: Priority, b: Priority): boolean {
  return priorities.indexOf(a) > priorities.indexOf(b);
}

/** The more urgent of each. */
export function maxUrgency(a: Urgency, b: Urgency): Urgency {
  return {
    priority: isLess(a.priority, b.priority) ? b.priority : a.priority,
    severity: maxSeverity(a.severity, b.severity),
  };
}

/** What has become worse from `before` to `after`, for people, or null when nothing has. */
export function raise(before: Urgency, after: Urgency): string | null {
  if (isLess(before.priority, after.priority)) {
    return `priority raised from ${before.priority} to ${after.priority}`;
  }
  return severityRank(before.severity) < severityRank(after.severity)
    ? `severity raised from ${before.severity} to ${after.severity}`
    : null;
}
