-- Reads some of the talks that are ranked.
--
-- KEYS    ratings:top
-- ARGV    cursor of ZSCAN
-- Reply   {next cursor, talks and scores}; of a key of another type none
-- Writes  nothing
local reply = redis.pcall('ZSCAN', KEYS[1], ARGV[1], 'COUNT', '1000')
if reply.err and reply.err:find('WRONGTYPE', 1, true) then return {'0', {}} end
return reply
