-- Applies one batch: the counts of its talks, its uses of idempotency keys, and its checkpoint.
--
-- KEYS    ratings:log, ratings:keys:P, ratings:expiry:P, the talks' keys
-- ARGV    1 partition P             2 checkpoint that the store must have
--         3 next checkpoint         4 fingerprint of the batch's last record
--         5 generation              6 the log's time after the batch, milliseconds
--         7 fingerprint of the log's first record, '' if the store has it
--         8 number of uses          9 fingerprint that the store must have as its last, '' for none
--         then five increments for each talk; then for each use its field, value and expiry
-- Reply   'applied'
--         'conflict': another generation, checkpoint or last record; nothing was written
--         'corrupt': a key is not what this module writes; nothing was written
-- Errors  of Redis, with the command in parentheses; nothing was written unless Redis stopped the
--         script between two writes: then position:P says 'applying', and the store is rebuilt
--         (load_state.lua, store_state.c)
-- Writes  position:P, mark:P, time:P, uses:P, first:P of ratings:log; the talks; keys and expiry
--
-- The last record is compared, as a store that was restored may be of another log. The generation
-- is compared, as a batch that was read before a rebuild must not go into the store of after.
--
-- The expiry set holds fields of `keys` by when each expires. A few that have expired by the log's
-- own time go with every batch: what is forgotten does not depend on when the script runs. Both
-- have the same number of elements, that of uses:P if it is of this checkpoint (an older version
-- leaves uses:P behind), or somebody else has deleted some.
-- include prelude.lua

-- How long a use stays after it has expired, milliseconds: more than the longest RatingsDeadline,
-- so that requests under way still read what became of their events.
local GRACE = 120000

return run(function()
  local log, keys, expiry, partition = KEYS[1], KEYS[2], KEYS[3], ARGV[1]
  local checkpoint, last = 'position:' .. partition, 'mark:' .. partition
  local counted = 'uses:' .. partition

  -- nil if the key is of another type
  local function read(name, ...)
    local reply = redis.pcall(name, ...)
    if type(reply) ~= 'table' or not reply.err then return reply end
    if not reply.err:find('WRONGTYPE', 1, true) then error({name, reply.err}, 0) end
  end

  local seen = read('HMGET', log, checkpoint, 'generation', last, counted)
  if not seen or seen[1] ~= ARGV[2] or seen[2] ~= ARGV[5] or (seen[3] or '') ~= ARGV[9] then
    return 'conflict'
  end

  local talks, uses, time = #KEYS - 3, tonumber(ARGV[8]), tonumber(ARGV[6])
  local kept, expiring = read('HLEN', keys), read('ZCARD', expiry)
  local counted_at, count = (seen[4] or ''):match('^(%d+):(%d+)$')
  if not kept or kept ~= expiring or (counted_at == ARGV[2] and count ~= tostring(kept)) then
    return 'corrupt'
  end

  local sums, expired = {}, {}
  for k = 1, talks do
    local counts = read('HMGET', KEYS[3 + k], '1', '2', '3', '4', '5')
    if not counts then return 'corrupt' end
    local sum = {}
    for v = 1, 5 do
      local n, added = counts[v], ARGV[9 + (k - 1) * 5 + v]
      if n and (#n > 15 or n:find('%D') or n == '') then return 'corrupt' end
      if added ~= '0' then
        sum[#sum + 1] = v
        sum[#sum + 1] = n and string.format('%.0f', n + added) or added
      end
    end
    sums[k] = sum
  end
  if kept > 0 then
    expired = call('ZRANGEBYSCORE', expiry, '-inf', time - GRACE, 'LIMIT', 0, 2 * uses + 16)
  end

  -- What is about to write is tried without effect: a denied command stops the script here.
  if uses > 0 or #expired > 0 then
    call('ZADD', expiry, 'XX', 0, '')
    call('HDEL', keys, '')
    call('ZREM', expiry, '')
  end

  call('HSET', log, checkpoint, 'applying')
  for k = 1, talks do
    if #sums[k] > 0 then call('HSET', KEYS[3 + k], unpack(sums[k])) end
  end
  for _, field in ipairs(expired) do
    call('HDEL', keys, field)
    call('ZREM', expiry, field)
  end
  for u = 1, uses do
    local at = 9 + talks * 5 + (u - 1) * 3
    call('HSET', keys, ARGV[at + 1], ARGV[at + 2])
    call('ZADD', expiry, ARGV[at + 3], ARGV[at + 1])
  end
  local after = {checkpoint, ARGV[3], last, ARGV[4], 'time:' .. partition, ARGV[6],
                 counted, ARGV[3] .. ':' .. call('HLEN', keys)}
  if ARGV[7] ~= '' then
    after[9], after[10] = 'first:' .. partition, ARGV[7]
  end
  call('HSET', log, unpack(after))
  return 'applied'
end)
