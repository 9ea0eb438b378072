import { TocsinError } from '../engine/index.ts';

/** A Lua script, sent whole once for each connection and named by its digest from then on. */
export interface RedisScript {
  readonly name: string;
  readonly keyCount: number;
  readonly lua: string;
}

/**
 * Lua that says whether a writer is refused: `isFenced(lease, owner, token)`. INVARIANT: owner and token must both be equal to those of
 * the lease. A Redis that has lost its newest writes may give the same token twice, but never to the same life of a process.
 */
export const isFenced = `
local function isFenced(lease, owner, token)
  if token == '' then return false end
  local held = redis.call('HMGET', lease, 'owner', 'token')
  return held[1] ~= owner or held[2] ~= token
end
`;

/** Lua for the time in milliseconds: `nowMs(given)`, by the server's clock unless one is given. */
export const nowMs = `
local function nowMs(given)
  if given ~= '' then return tonumber(given) end
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
`;

/** The answer of a script that was not allowed to write. */
export const fenced = 'fenced';

/** Throws TOC_STORE_FENCED where a script answered so. */
export function refuseFenced(answer: unknown): void {
  if (String(answer) === fenced)
    throw new TocsinError(
      'TOC_STORE_FENCED',
      'another owner has taken the lease of this partition, or the store has lost it',
    );
}
