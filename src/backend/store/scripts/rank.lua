-- One step of ranking all talks: ranks the next few by their counts.
--
-- KEYS    ratings:log, ratings:top
-- ARGV    generation, how many keys to look at
-- Reply   'applied', or 'conflict': another generation, or all are ranked
-- Writes  ratings:top, ranked, rerank; with the first step ranked:P of all partitions
--
-- Batches that are applied between two steps rank their own talks, also those that are new, and say
-- so in ranked:P, which those of an older version leave behind: then all is ranked once more. How far
-- the steps have come is in the store: whoever leads goes on there, and a store that was restored
-- goes back to where its ratings:top was. A cursor of SCAN is that of one run of one server, since
-- keys lie in the order of a seed of its own; after a restart or a failover the steps begin anew, as
-- they do when ratings:top has lost talks. No talk is wrong for that.
-- include prelude.lua
-- include score.lua

local TALK = 'ratings/' -- with the talk's id after it
local CHUNK = 1000 -- talks that one command takes: Lua's stack has room for 8,000 values

-- Scores and talks of these keys; what apply.lua finds to be corrupt has none, nor what has no rating.
local function read_places(keys, prior)
  local places = {}
  for _, key in ipairs(keys) do
    local counts, all = read('HMGET', key, '1', '2', '3', '4', '5') or {}, 0
    for v = 1, 5 do
      counts[v] = tonumber(counts[v] or '0') or 0
      all = all + counts[v]
    end
    if all > 0 then
      places[#places + 1], places[#places + 2] = score(prior, counts), key:sub(#TALK + 1)
    end
  end
  return places
end

-- ranked:P as it is when batches have ranked their talks up to the checkpoints
local function read_checkpoints(log)
  local state, fields = call('HGETALL', log), {}
  for i = 1, #state, 2 do
    local partition = state[i]:match('^position:(%d+)$')
    if partition then
      fields[#fields + 1], fields[#fields + 2] = 'ranked:' .. partition, state[i + 1]
    end
  end
  return fields
end

return run(function()
  local log, top = KEYS[1], KEYS[2]
  if call('TYPE', log).ok ~= 'hash' then return 'conflict' end
  local seen = call('HMGET', log, 'generation', 'ranking', 'ranked', 'rerank')
  local prior = read_prior(seen[2])
  if seen[1] ~= ARGV[1] or not prior or not seen[4] then return 'conflict' end

  local members = read('ZCARD', top)
  local server = call('INFO', 'server'):match('run_id:(%x+)') or ''
  local of, cursor = seen[4]:match('^(%x*):(%d+)$')
  local checkpoints = {}
  if of ~= server or members ~= tonumber(seen[3] or '') then
    cursor, checkpoints = '0', read_checkpoints(log)
  end
  local found = call('SCAN', cursor, 'MATCH', TALK .. '*', 'COUNT', ARGV[2])
  local places = read_places(found[2], prior)

  -- What is about to write is tried without effect: a denied command stops the script here.
  call('HSET', log, 'generation', ARGV[1])
  call('HDEL', log, '')
  if not members then call('UNLINK', top) end
  call('ZADD', top, 'XX', 0, '')

  for i = 1, #places, 2 * CHUNK do
    call('ZADD', top, unpack(places, i, math.min(i + 2 * CHUNK - 1, #places)))
  end
  call('HSET', log, 'ranked', call('ZCARD', top), 'rerank', server .. ':' .. found[1],
       unpack(checkpoints))
  if found[1] == '0' then call('HDEL', log, 'rerank') end
  return 'applied'
end)
