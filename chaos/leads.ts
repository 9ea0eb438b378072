import { readFileSync } from 'node:fs';
import type { TocsinVictim } from './victim.ts';

/** An owner began to lead a partition, or leads it no more. */
export interface Lead {
  readonly owner: string;
  readonly partition: number;
  /** Of the wall clock, in milliseconds. */
  readonly atMs: number;
  readonly begins: boolean;
}

/** What an owner's log says of the partitions that it led, in all its lives. A process that is killed says nothing of their end. */
export function leadsOf({ name, logFile }: Pick<TocsinVictim, 'name' | 'logFile'>): Lead[] {
  return readFileSync(logFile, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const begins = line.includes('"The partition is led."');
      if (!begins && !ends.some((text) => line.includes(text))) return [];
      const { time, partition } = JSON.parse(line) as { time: number; partition?: number };
      return partition === undefined ? [] : [{ owner: name, partition, atMs: time, begins }];
    });
}

const ends = ['"The partition was handed over."', '"code":"TOC_STORE_FENCED"', '"code":"TOC_LOG_FENCED"'];
