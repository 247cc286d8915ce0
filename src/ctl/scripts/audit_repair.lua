-- Gives a talk other counts and votes, and their place in the ranking, if the store is where the
-- audit has folded the log to.
--
-- KEYS    ratings:log, the talk's key, its voters' key, a key that is nobody's, ratings:top
-- ARGV    generation, count, then a partition and its checkpoint `count` times, then five counts,
--         how many of these ratings are anonymous (-1: the talk never had a voter), the prior by
--         which talks are ranked ('': they are not), the talk's score ('': it has no rating), then
--         for each voter field and value
-- Reply   'applied'
--         'conflict': another checkpoint or prior; nothing was written
--         'rebuilt': another generation, or a rebuild is under way; nothing was written
-- Writes  the talk's key (deleted if all counts are 0), its voters' key; ratings:top, and ranked
--         unless it was wrong before
--
-- A checkpoint that is absent is 0: the partition was given to the topic later.
--
-- Redis does not undo what a script wrote before it failed. So what it writes with is tried before;
-- and should it be stopped all the same, the service finds 'applying' where the checkpoint of
-- partition 0 was, and rebuilds the store.
local log, talk, voters, nobody, top = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
if redis.call('TYPE', log).ok ~= 'hash' then return 'rebuilt' end
local seen = redis.call('HMGET', log, 'generation', 'claim', 'position:0', 'ranking', 'ranked')
if (seen[1] or '') ~= ARGV[1] or seen[2] or not seen[3] then return 'rebuilt' end

local count, counts = tonumber(ARGV[2]), {}
for i = 1, count do
  local checkpoint = redis.call('HMGET', log, 'position:' .. ARGV[1 + 2 * i])[1]
  if (checkpoint or '0') ~= ARGV[2 + 2 * i] then return 'conflict' end
end
for v = 1, 5 do
  local n = ARGV[2 + 2 * count + v]
  if n ~= '0' then
    counts[#counts + 1] = v
    counts[#counts + 1] = n
  end
end

local votes = 6 + 2 * count + 5 -- the first of them
local anonymous, prior, score = ARGV[votes - 3], ARGV[votes - 2], ARGV[votes - 1]
if prior ~= '' and seen[4] ~= prior then return 'conflict' end
if #counts > 0 and anonymous ~= '-1' then
  counts[#counts + 1] = 'anonymous'
  counts[#counts + 1] = anonymous
end

redis.call('UNLINK', nobody)
local members = 0
if prior ~= '' then
  if redis.call('TYPE', top).ok ~= 'zset' then redis.call('UNLINK', top) end
  redis.call('ZADD', top, 'XX', 0, '')
  redis.call('ZREM', top, '')
  members = redis.call('ZCARD', top)
end
redis.call('HSET', log, 'position:0', 'applying')
redis.call('UNLINK', talk, voters)
if #counts > 0 then redis.call('HSET', talk, unpack(counts)) end
for i = votes, #ARGV, 2000 do
  redis.call('HSET', voters, unpack(ARGV, i, math.min(i + 1999, #ARGV)))
end
if prior ~= '' then
  local id = talk:sub(#'ratings/' + 1)
  if score == '' then redis.call('ZREM', top, id) else redis.call('ZADD', top, score, id) end
  if members == tonumber(seen[5] or '') then
    redis.call('HSET', log, 'ranked', redis.call('ZCARD', top))
  end
end
redis.call('HSET', log, 'position:0', seen[3])
return 'applied'
