-- Advances the checkpoint of a partition, of which the log has no record before the next one.
--
-- KEYS    ratings:log
-- ARGV    generation, partition P, checkpoint that the store must have, next checkpoint
-- Reply   'applied', or 'conflict': another generation or checkpoint, or a record was applied
-- Writes  position:P, voters:P, and 'empty' to first:P, in one command
-- include prelude.lua

return run(function()
  local checkpoint, last = 'position:' .. ARGV[2], 'mark:' .. ARGV[2]
  if call('TYPE', KEYS[1]).ok ~= 'hash' then return 'conflict' end
  local seen = call('HMGET', KEYS[1], 'generation', checkpoint, last)
  if seen[1] ~= ARGV[1] or seen[2] ~= ARGV[3] or seen[3] then return 'conflict' end
  call('HSET', KEYS[1], checkpoint, ARGV[4], 'voters:' .. ARGV[2], ARGV[4],
       'first:' .. ARGV[2], 'empty')
  return 'applied'
end)
