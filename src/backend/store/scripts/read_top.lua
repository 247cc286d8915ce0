-- Reads the talks that are ranked, with their scores, and whether the store is behind.
--
-- KEYS    ratings:log, ratings:top
-- ARGV    how many talks, at most: those with the highest scores
-- Reply   {{behind}, {talk, score, talk, score, ...}}, the lowest score first; in the place of what
--         cannot be read, Redis's error with its command after it, in parentheses
-- Writes  nothing
--
-- ZRANGEBYSCORE, which other scripts need as well, so that the service's user may do no more for this one.
local function get(name, ...)
  local reply = redis.pcall(name, ...)
  if type(reply) == 'table' and reply.err then reply.err = reply.err .. ' (' .. name .. ')' end
  return reply
end

local log, top, most = KEYS[1], KEYS[2], tonumber(ARGV[1])
local behind, count = get('HMGET', log, 'behind'), get('ZCARD', top)
if type(count) ~= 'number' then return {behind, count} end
return {behind, get('ZRANGEBYSCORE', top, '-inf', '+inf', 'WITHSCORES', 'LIMIT', math.max(count - most, 0), most)}
