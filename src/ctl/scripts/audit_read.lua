-- Reads what ratings:log says and some talks, in one atomic step.
--
-- KEYS    ratings:log, the talks' keys
-- ARGV    fields of ratings:log
-- Reply   {values of ratings:log, then for each talk how many fields it has and its five counts};
--         in the place of what cannot be read, Redis's error
-- Writes  nothing
--
-- A script and no transaction (MULTI): in one, a Redis that is out of memory refuses to read.
local reply = {redis.pcall('HMGET', KEYS[1], unpack(ARGV))}
for k = 2, #KEYS do
  reply[2 * k - 2] = redis.pcall('HLEN', KEYS[k])
  reply[2 * k - 1] = redis.pcall('HMGET', KEYS[k], '1', '2', '3', '4', '5')
end
return reply
