import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { TocsinError } from '../../src/engine/index.ts';
import { decoders, type MessageOutcome, type TakeMessage } from '../../src/source/index.ts';
import { context } from './scene.ts';

export interface Taken {
  readonly domain: string;
  readonly names: readonly string[];
}

/** Takes messages as the application does; what is durable is in `taken`. `before` may decide otherwise. */
export function taking(
  taken: Taken[],
  before: (count: number) => Promise<MessageOutcome | null> = async () => null,
): TakeMessage {
  let count = 0;
  return async ({ format, domain, body }) => {
    const instead = await before(++count);
    if (instead) return instead;
    const { alerts, errors } = decoders[format](body, { ...context, defaultDomain: domain });
    taken.push({ domain, names: alerts.map(({ labels }) => labels[1] ?? '') });
    return { status: 'accepted', acceptedCount: alerts.length, errors };
  };
}

export const message = (name: string): string => JSON.stringify({ labels: { alertname: name } });

/** For links that should have none. */
export const onTrouble = (error: TocsinError): never => {
  throw error;
};

export async function until(condition: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 400; attempt++) {
    if (condition()) return;
    await sleep(10);
  }
  expect(condition()).toBe(true);
}
