-- Reads fields of two hashes in one atomic step.
--
-- KEYS    two hashes
-- ARGV    how many fields of the first, its fields, then those of the second
-- Reply   {values of the first, values of the second}; in the place of values that cannot be read,
--         Redis's error with " (HMGET)" after it (a key of another type: WRONGTYPE ...)
-- Writes  nothing
--
-- A script and no transaction (MULTI): in one, a Redis that is out of memory refuses to read.
local count = tonumber(ARGV[1])

local function get(...)
  local reply = redis.pcall('HMGET', ...)
  if reply.err then reply.err = reply.err .. ' (HMGET)' end
  return reply
end

return {get(KEYS[1], unpack(ARGV, 2, count + 1)), get(KEYS[2], unpack(ARGV, count + 2))}
