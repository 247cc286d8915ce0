-- Reads what ratings:log says and some talks, or who is barred, in one atomic step.
--
-- KEYS    ratings:log, the keys of barred voters, then of each talk its key and its voters' key
-- ARGV    how many keys of barred voters, then fields of ratings:log
-- Reply   {values of ratings:log, then for each key of barred voters all its fields and values, for
--         each talk how many fields it has, its five counts and anonymous, all fields and values of
--         its voters, and its score where talks are ranked}; in the place of what cannot be read,
--         Redis's error
-- Writes  nothing
--
-- A script and no transaction (MULTI): in one, a Redis that is out of memory refuses to read.
local reply, bars = {redis.pcall('HMGET', KEYS[1], unpack(ARGV, 2))}, tonumber(ARGV[1])
for k = 2, 1 + bars do reply[k] = redis.pcall('HGETALL', KEYS[k]) end
local is_ranking = redis.pcall('HMGET', KEYS[1], 'ranking')[1]
for k = 2 + bars, #KEYS, 2 do
  reply[#reply + 1] = redis.pcall('HLEN', KEYS[k])
  reply[#reply + 1] = redis.pcall('HMGET', KEYS[k], '1', '2', '3', '4', '5', 'anonymous')
  reply[#reply + 1] = redis.pcall('HGETALL', KEYS[k + 1])
  reply[#reply + 1] = is_ranking and redis.pcall('ZSCORE', 'ratings:top', KEYS[k]:sub(#'ratings/' + 1))
end
return reply
