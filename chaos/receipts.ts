import type { Effect } from '../src/engine/index.ts';
import type { NotifyEffect } from '../src/incident/index.ts';
import { subjectOf, webhookBody } from '../src/notify/index.ts';
import { idempotencyKey } from '../src/notify/idempotency-key.ts';
import { groupIntervalMs } from './scene.ts';
import { verdict, type Verdict } from './checks.ts';
import type { Fault } from './faults.ts';
import type { PlainPartition } from './plain.ts';
import type { Receipt } from './receiver.ts';

/** So long after a process was struck what it did before may have to be done again: waits between two attempts, and a start. */
const aftermathMs = 30_000;

/**
 * The least wait before another attempt. What comes later may be one whose sender had waited for the answer in vain: how long that
 * was, on a machine without time for either of them, nobody can tell from here.
 */
const leastRetryMs = 500;

type Pages = Pick<PlainPartition, 'pages' | 'facts' | 'endedMs' | 'resolvedMs' | 'claimedAgain'>;

/**
 * What was received is, byte for byte, what the plain fold tells; and where a page was not delivered in the end its group was told something
 * later, unless by then all of it had ended: of what nobody heard that it fires, nobody hears that it has ended (as in Alertmanager).
 */
export function checkBodies(plain: readonly Pages[], receipts: readonly Receipt[]): Verdict {
  const violations: string[] = [];
  const byKey = Map.groupBy(receipts, ({ key }) => key);
  const isTaken = (id: string): boolean => byKey.get(idempotencyKey(id))?.some(wasTaken) === true;
  let bodyCount = 0;
  let undeliveredCount = 0;
  let endedCount = 0;
  for (const partition of plain) {
    const { pages, facts } = partition;
    for (const about of Map.groupBy(pages, (page) => subjectOf(page)).values()) {
      for (const [index, page] of about.entries()) {
        for (const { body } of byKey.get(idempotencyKey(page.id)) ?? []) {
          bodyCount++;
          if (body !== bodyOf(page as NotifyEffect, body))
            violations.push(`page ${page.id} was received with another body`);
        }
        const outcome = facts.get(page.id)?.outcome;
        if (outcome?.status !== 'failed' || outcome.code !== 'TOC_NOTIFY_FAILED' || isTaken(page.id))
          continue;
        undeliveredCount++;
        const later = about.slice(index + 1);
        if (later.some(isWithdrawal) || hadEnded(page as NotifyEffect, partition)) endedCount++;
        else if (!later.some(({ id }) => isTaken(id)))
          violations.push(`page ${page.id} was not delivered, and its group was told nothing later`);
      }
    }
  }
  const counts =
    `${bodyCount} bodies compared; ${undeliveredCount} pages were given up, ` +
    `after ${endedCount} of which all had ended before anybody could be told`;
  return verdict('every page says what the plain fold says, and none is lost for good', counts, violations);
}

/** What comes again under its key, though the copy before was answered, has its reason in what was done to owners in between. */
export function checkRepeats(
  plain: readonly Pages[],
  receipts: readonly Receipt[],
  faults: readonly Fault[],
): Verdict {
  const violations: string[] = [];
  const claimedAgain = new Set(plain.flatMap((partition) => [...partition.claimedAgain].map(idempotencyKey)));
  const reasons = {
    'the connection was cut': 0,
    'its owner had ended': 0,
    'its owner was struck': 0,
    'the answer came late': 0,
  };
  const taken = Map.groupBy(receipts.filter(wasTaken), ({ key }) => key);
  for (const [key, copies] of taken) {
    for (const [index, copy] of copies.slice(1).entries()) {
      const before = copies[index]!;
      if (before.answer === 'taken and cut') reasons['the connection was cut']++;
      else if (claimedAgain.has(key)) reasons['its owner had ended']++;
      else if (faults.some((fault) => isOfOwnerBetween(fault, before.atMs, copy.atMs)))
        reasons['its owner was struck']++;
      else if (copy.atMs - before.atMs >= leastRetryMs) reasons['the answer came late']++;
      else violations.push(`page ${key} came twice, and nothing was done to an owner in between`);
    }
  }
  const counts = Object.entries(reasons).map(([reason, count]) => `${count} because ${reason}`);
  return verdict('what came again under its key had to', counts.join(', '), violations);
}

function wasTaken({ answer }: Receipt): boolean {
  return answer === 'taken' || answer === 'taken and cut';
}

/** What takes back the page of an end of which nobody was told that it had begun. */
function isWithdrawal({ payload }: Effect): boolean {
  return (payload as NotifyEffect['payload']).notificationReason === 'withdrawn';
}

/** Whether all that the page was about had ended by the next flush after it was given up. */
function hadEnded({ id, payload }: NotifyEffect, { endedMs, resolvedMs }: Pages): boolean {
  const flushMs = (endedMs.get(id) ?? -Infinity) + groupIntervalMs;
  return payload.alerts.every(({ alert }) => (resolvedMs.get(alert.fingerprint) ?? Infinity) <= flushMs);
}

/** `externalURL` is the sending process's own. */
function bodyOf({ id, payload }: NotifyEffect, received: string): string {
  const { externalURL } = JSON.parse(received) as { externalURL: string };
  return JSON.stringify(webhookBody(id, payload, 0, externalURL));
}

function isOfOwnerBetween({ victim, beganMs, lengthMs }: Fault, fromMs: number, toMs: number): boolean {
  return victim.startsWith('owner') && beganMs <= toMs && beganMs + lengthMs + aftermathMs >= fromMs;
}
