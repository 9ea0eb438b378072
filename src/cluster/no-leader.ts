import { TocsinError } from '../engine/index.ts';

export function noLeader(message: string): TocsinError {
  return new TocsinError('TOC_CLUSTER_NO_LEADER', message);
}

export function isNoLeader(error: unknown): boolean {
  return error instanceof TocsinError && error.code === 'TOC_CLUSTER_NO_LEADER';
}
