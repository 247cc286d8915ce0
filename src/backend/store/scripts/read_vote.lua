-- Reads a voter's rating of a talk, and what it must agree with, in one atomic step.
--
-- KEYS    ratings:log, the talk's key, its voters' key
-- ARGV    partition P, the voter's field
-- Reply   {position:P, first:P, behind and voters:P, counts and anonymous of the talk, {the rating},
--         number of voters}; in the place of what cannot be read, Redis's error with its command
--         after it, in parentheses (a key of another type: WRONGTYPE ...)
-- Writes  nothing
--
-- A script and no transaction, as read.lua is.
local function get(name, ...)
  local reply = redis.pcall(name, ...)
  if type(reply) == 'table' and reply.err then reply.err = reply.err .. ' (' .. name .. ')' end
  return reply
end

local log, talk, voters, partition = KEYS[1], KEYS[2], KEYS[3], ARGV[1]
return {
  get('HMGET', log, 'position:' .. partition, 'first:' .. partition, 'behind', 'voters:' .. partition),
  get('HMGET', talk, '1', '2', '3', '4', '5', 'anonymous'),
  get('HMGET', voters, ARGV[2]),
  get('HLEN', voters),
}
