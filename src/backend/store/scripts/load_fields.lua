-- Reads all of a key of a partition, as it is at a checkpoint.
--
-- KEYS    ratings:log, the key: ratings:barred:P or ratings:tickets:P
-- ARGV    generation, partition P, checkpoint that the store must have, number of the key's fields
-- Reply   fields and values in turns; 'conflict': another generation or checkpoint; 'corrupt': the
--         key is no hash, or has not so many fields
-- Writes  nothing
-- include prelude.lua

return run(function()
  if call('TYPE', KEYS[1]).ok ~= 'hash' then return 'conflict' end
  local seen = call('HMGET', KEYS[1], 'generation', 'position:' .. ARGV[2])
  if seen[1] ~= ARGV[1] or seen[2] ~= ARGV[3] then return 'conflict' end
  if call('TYPE', KEYS[2]).ok ~= 'hash' then return 'corrupt' end
  if call('HLEN', KEYS[2]) ~= tonumber(ARGV[4]) then return 'corrupt' end
  return call('HGETALL', KEYS[2])
end)
