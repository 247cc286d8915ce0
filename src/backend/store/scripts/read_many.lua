-- Reads fields of ratings:log, and the counts of talks, in one atomic step.
--
-- KEYS    ratings:log, the talks' keys
-- ARGV    fields of ratings:log
-- Reply   {values of ratings:log, counts of the first talk, ...}; in the place of what cannot be read,
--         Redis's error with " (HMGET)" after it (a key of another type: WRONGTYPE ...)
-- Writes  nothing
--
-- A script and no transaction, as read.lua is.
local function get(...)
  local reply = redis.pcall('HMGET', ...)
  if reply.err then reply.err = reply.err .. ' (HMGET)' end
  return reply
end

local reply = {get(KEYS[1], unpack(ARGV))}
for i = 2, #KEYS do reply[i] = get(KEYS[i], '1', '2', '3', '4', '5') end
return reply
