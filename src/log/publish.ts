import { TocsinError } from '../engine/index.ts';
import { insist } from './insist.ts';
import type { PublishOutcome } from './jetstream-client.ts';

/**
 * Sends a message, under one id, until somebody says what became of it. Resolves with its position; rejects with TOC_LOG_UNAVAILABLE after
 * `patienceMs`, or as the servers refuse it.
 */
export function publishSurely(publish: () => Promise<PublishOutcome>, patienceMs: number): Promise<number> {
  let isUnknown = true;
  const attempt = async (): Promise<number> => {
    const outcome = await publish();
    if (outcome.kind === 'kept') return outcome.position;
    isUnknown = outcome.kind === 'unknown';
    throw errorOf(outcome);
  };
  return insist(attempt, { patienceMs, isTransient: () => isUnknown });
}

function errorOf(outcome: Exclude<PublishOutcome, { kind: 'kept' }>): TocsinError {
  switch (outcome.kind) {
    case 'too large':
      return new TocsinError('TOC_LOG_ENTRY_TOO_LARGE', 'an entry is larger than the stream takes', outcome);
    case 'refused':
      return new TocsinError('TOC_LOG_UNAVAILABLE', 'the stream does not take entries', outcome);
    case 'not the last':
      return new TocsinError('TOC_LOG_FENCED', 'another process writes this log as its owner by now');
    case 'unknown':
    default:
      return new TocsinError(
        'TOC_LOG_UNAVAILABLE',
        'the NATS servers do not say whether they kept an entry',
        outcome,
      );
  }
}
