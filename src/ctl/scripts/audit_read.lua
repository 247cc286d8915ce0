-- Reads what ratings:log says and some talks, in one atomic step.
--
-- KEYS    ratings:log, then of each talk its key and its voters' key
-- ARGV    fields of ratings:log
-- Reply   {values of ratings:log, then for each talk how many fields it has, its five counts and
--         anonymous, and all fields and values of its voters}; in the place of what cannot be read,
--         Redis's error
-- Writes  nothing
--
-- A script and no transaction (MULTI): in one, a Redis that is out of memory refuses to read.
local reply = {redis.pcall('HMGET', KEYS[1], unpack(ARGV))}
for k = 2, #KEYS, 2 do
  reply[#reply + 1] = redis.pcall('HLEN', KEYS[k])
  reply[#reply + 1] = redis.pcall('HMGET', KEYS[k], '1', '2', '3', '4', '5', 'anonymous')
  reply[#reply + 1] = redis.pcall('HGETALL', KEYS[k + 1])
end
return reply
