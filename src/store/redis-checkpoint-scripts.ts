import { fenced, isFenced, type RedisScript } from './redis-script.ts';

/*
 * The head is a hash: `commit` (the id of the delta that was sealed last), `at` (its position and time), `chunks` (how many that delta
 * has), `applied` (how many of them have been moved to the rows) and `rows` (how many rows there are).
 *
 * INVARIANT: whatever changes the rows changes the head in the same script. Who has read the same head before and after has read what
 * belongs to it.
 *
 * Each script compares before it writes: it may come twice, or late.
 */

/** Of a store whose last commit is another than the writer's. */
export const moved = 'moved';
export const lost = 'lost';

/**
 * KEYS lease head rows journal, ARGV owner token base id whole: makes room in the journal for the delta `id` on top of `base` ('*': on top
 * of whatever there is). What is about to be replaced ('whole') need not be applied first: it is forgotten at once. Answers {what, commit, applied, chunks}; `what` is 'ready', 'sealed' when the delta was sealed already, 'unapplied'
 * while the last delta is still to be applied, or one of the refusals.
 */
export const begin: RedisScript = {
  name: 'tocsinBeginCheckpoint',
  keyCount: 4,
  lua: `${isFenced}
if isFenced(KEYS[1], ARGV[1], ARGV[2]) then return {'${fenced}'} end
local head = redis.call('HMGET', KEYS[2], 'commit', 'applied', 'chunks')
local commit, applied, chunks = head[1] or '', head[2] or '0', head[3] or '0'
if commit == ARGV[4] then return {'sealed', commit, applied, chunks} end
if ARGV[3] ~= '*' and ARGV[3] ~= commit then return {'${moved}'} end
if applied ~= chunks then
  if ARGV[5] ~= 'whole' then return {'unapplied', commit, applied, chunks} end
  redis.call('UNLINK', KEYS[2])
  commit = ''
end
redis.call('UNLINK', KEYS[4])
if commit == '' then redis.call('UNLINK', KEYS[3]) end
return {'ready', commit, applied, chunks}`,
};

/** KEYS lease journal, ARGV owner token id number bytes: writes a chunk of the delta `id`. */
export const journal: RedisScript = {
  name: 'tocsinJournalChunk',
  keyCount: 2,
  lua: `${isFenced}
if isFenced(KEYS[1], ARGV[1], ARGV[2]) then return '${fenced}' end
redis.call('HSET', KEYS[2], ARGV[3] .. '/' .. ARGV[4], ARGV[5])
return 'ok'`,
};

/** Seals what the journal holds; `forget` is done to what stood in the rows before. */
function sealScript(name: string, forget: string): RedisScript {
  return {
    name,
    keyCount: 4,
    lua: `${isFenced}
if isFenced(KEYS[1], ARGV[1], ARGV[2]) then return '${fenced}' end
local head = redis.call('HMGET', KEYS[2], 'commit', 'applied', 'chunks')
if head[1] == ARGV[4] then return 'ok' end
if (head[1] or '') ~= ARGV[3] or head[2] ~= head[3] then return '${moved}' end
for number = 1, tonumber(ARGV[6]) do
  if redis.call('HEXISTS', KEYS[4], ARGV[4] .. '/' .. number) == 0 then return '${lost}' end
end
${forget}
redis.call('HSET', KEYS[2], 'commit', ARGV[4], 'at', ARGV[5], 'chunks', ARGV[6], 'applied', '0')
redis.call('HSETNX', KEYS[2], 'rows', '0')
return 'ok'`,
  };
}

/** KEYS lease head rows journal, ARGV owner token base id at chunks: from here on the delta `id` is part of the checkpoint. */
export const seal = sealScript('tocsinSealCheckpoint', '');

/** As `seal`: from here on the delta `id` is all there is. */
export const sealWhole = sealScript(
  'tocsinSealWholeCheckpoint',
  `redis.call('UNLINK', KEYS[3])
redis.call('HDEL', KEYS[2], 'rows')`,
);

/**
 * KEYS lease head rows journal, ARGV owner token id number: moves a chunk of the sealed delta `id` to the rows. A row that is written
 * without an order keeps the one that it has.
 */
export const apply: RedisScript = {
  name: 'tocsinApplyChunk',
  keyCount: 4,
  lua: `${isFenced}
if isFenced(KEYS[1], ARGV[1], ARGV[2]) then return '${fenced}' end
local number = tonumber(ARGV[4])
local head = redis.call('HMGET', KEYS[2], 'commit', 'applied')
if head[1] ~= ARGV[3] then return '${moved}' end
if tonumber(head[2]) >= number then return 'ok' end
if tonumber(head[2]) ~= number - 1 then return '${moved}' end
local field = ARGV[3] .. '/' .. ARGV[4]
local chunk = redis.call('HGET', KEYS[4], field)
if not chunk then return '${lost}' end
local call, sub, unpackNumbers = redis.call, string.sub, struct.unpack
local rows, at, added = KEYS[3], 1, 0
while at <= #chunk do
  local keyLength, valueLength, keyAt = unpackNumbers('>I4I4', chunk, at)
  local valueAt = keyAt + keyLength
  at = valueAt + valueLength
  local key = sub(chunk, keyAt, valueAt - 1)
  if valueLength == 0 then
    added = added - call('HDEL', rows, key)
  else
    local value = sub(chunk, valueAt, at - 1)
    if string.byte(value) == 0 then
      local former = call('HGET', rows, key)
      if former then value = sub(former, 1, 8) .. sub(value, 9) end
    end
    added = added + call('HSET', rows, key, value)
  end
end
call('HDEL', KEYS[4], field)
call('HSET', KEYS[2], 'applied', ARGV[4])
call('HINCRBY', KEYS[2], 'rows', added)
return 'ok'`,
};

/** KEYS lease and what is to be forgotten, ARGV owner token. The memory is given back in the background. */
export const reset: RedisScript = {
  name: 'tocsinResetStore',
  keyCount: 6,
  lua: `${isFenced}
if isFenced(KEYS[1], ARGV[1], ARGV[2]) then return '${fenced}' end
redis.call('UNLINK', unpack(KEYS, 2))
return 'ok'`,
};
