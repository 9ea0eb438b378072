import { readFile } from 'node:fs/promises';
import type { NotifyEffect } from '../src/incident/index.ts';
import { webhookBody } from '../src/notify/index.ts';
import type { Delivery } from '../test/support/chaos-receiver.ts';
import type { Check } from './check.ts';
import type { Fault } from './faults.ts';
import type { PlainPartition } from './plain-fold.ts';
import type { Settled } from './settle.ts';

interface Page {
  readonly id: string;
  readonly effect: NotifyEffect;
  readonly partition: PlainPartition;
  readonly position: number;
  /** Its place among the pages of its partition. */
  readonly place: number;
}

export const externalUrl = 'http://tocsin.test';

/** A receiver counts a page once by its key. What comes again under a key must have a reason. */
export async function checkPages(
  plain: readonly PlainPartition[],
  settled: Settled,
  faults: readonly Fault[],
  deliveriesFile: string,
): Promise<Check> {
  const lines = (await readFile(deliveriesFile, 'utf8').catch(() => '')).split('\n').filter(Boolean);
  const deliveries = lines.map((line) => JSON.parse(line) as Delivery);
  const byKey = Map.groupBy(deliveries, ({ key }) => key);
  const pages = new Map(plain.flatMap(pagesOf).map((page) => [page.id, page]));
  const violations: string[] = [];
  const ends = { received: 0, superseded: 0, gaveUp: 0, pending: 0 };
  const again = { claimedAgain: 0, ownerStruck: 0, answerLost: 0 };

  for (const page of pages.values()) {
    const { id, partition, position } = page;
    const [taken = null] = (byKey.get(id) ?? []).filter(isTaken);
    if (taken) {
      ends.received++;
      if (taken.body !== bodyOf(page)) violations.push(`${id}: its body is not that of the plain fold`);
    }
    const outcome = partition.facts.get(id);
    if (outcome?.status === 'done' && !taken) violations.push(`${id}: it ended as done and was not received`);
    if (outcome?.status === 'failed' && outcome.code === 'TOC_EFFECT_SUPERSEDED') ends.superseded++;
    else if (outcome?.status === 'failed' && !taken) {
      ends.gaveUp++;
      if (!isToldLater(page, [...pages.values()], byKey))
        violations.push(`${id}: it failed (${outcome.code}), and its group was told nothing later`);
    }
    if (outcome) continue;
    ends.pending++;
    if (position <= (settled.get(partition.partition) ?? 0))
      violations.push(`${id}: nobody has recorded how it ended`);
  }
  for (const [key, attempts] of byKey) {
    const page = pages.get(key);
    if (!page) violations.push(`${key}: it was received and is no page of the plain fold`);
    const taken = attempts.filter(isTaken);
    if (!page || taken.length < 2) continue;
    const [first, ...rest] = taken;
    for (const [index, { atMs }] of rest.entries()) {
      const before = taken[index] ?? first!;
      if (before.end === 'answer lost') again.answerLost++;
      else if (page.partition.claimedAgain.has(key)) again.claimedAgain++;
      else if (faults.some((fault) => isOwnersBetween(fault, before.atMs, atMs))) again.ownerStruck++;
      else violations.push(`${key}: it was received twice, and nothing had happened in between`);
    }
  }
  violations.push(...misordered(pages, byKey));
  return {
    title: '3. pages',
    counts: [
      ['pages due', pages.size],
      ['received, once by key', ends.received],
      ['superseded by a later page of their group', ends.superseded],
      ['given up, their group told later', ends.gaveUp],
      ['made after all was settled and left for the next owner', ends.pending],
      ['attempts that failed, hung, or were too many', deliveries.filter((each) => !isTaken(each)).length],
      ['received again under the same key', again.claimedAgain + again.ownerStruck + again.answerLost],
      ['  because the receiver took it and closed the connection', again.answerLost],
      ['  because an owner ended between sending and recording', again.claimedAgain],
      ['  because an owner was paused and did not see the answer', again.ownerStruck],
    ],
    violations,
  };
}

function isTaken({ end }: Delivery): boolean {
  return end === 'taken' || end === 'answer lost';
}

/** An owner was paused, killed or stopped after the page was first received and before it came again. */
function isOwnersBetween({ role, beganAtMs, readyAtMs }: Fault, fromMs: number, toMs: number): boolean {
  return role === 'owner' && beganAtMs <= toMs && readyAtMs >= fromMs;
}

function pagesOf(partition: PlainPartition): Page[] {
  return partition.effects
    .filter(({ effect }) => effect.kind === 'notify')
    .map(({ effect, position }, place) => {
      return { id: effect.id, effect: effect as NotifyEffect, partition, position, place };
    });
}

function bodyOf({ id, effect }: Page): string {
  return JSON.stringify(webhookBody(id, effect.payload, 0, externalUrl));
}

function groupOf({ effect, partition }: Page): string {
  const { receiver, groupKey } = effect.payload;
  return JSON.stringify([partition.partition, receiver, groupKey]);
}

function isToldLater(
  page: Page,
  pages: readonly Page[],
  byKey: ReadonlyMap<string, readonly Delivery[]>,
): boolean {
  return pages.some(
    (other) =>
      other.place > page.place &&
      groupOf(other) === groupOf(page) &&
      byKey.get(other.id)?.some(isTaken) === true,
  );
}

/** Pages of a group that were first received in another order than they were made, and incidents whose revision went back. */
function misordered(
  pages: ReadonlyMap<string, Page>,
  byKey: ReadonlyMap<string, readonly Delivery[]>,
): string[] {
  const violations: string[] = [];
  const first = [...byKey]
    .flatMap(([key, attempts]) => {
      const [page, taken] = [pages.get(key), attempts.find(isTaken)];
      return page && taken ? [{ page, taken }] : [];
    })
    .toSorted((a, b) => a.taken.atMs - b.taken.atMs);
  for (const told of Map.groupBy(first, ({ page }) => groupOf(page)).values()) {
    for (const [index, { page, taken }] of told.slice(1).entries()) {
      const before = told[index]!;
      if (before.page.place > page.place)
        violations.push(
          `${page.id}: it was first received at ${new Date(taken.atMs).toISOString()}, after ${before.page.id}, which is newer`,
        );
      const [was, is] = [before.page, page].map(({ effect }) => effect.payload.incident?.revision ?? 0);
      if (is! < was!) violations.push(`${page.id}: it tells revision ${is} after ${was}`);
    }
  }
  return violations;
}
