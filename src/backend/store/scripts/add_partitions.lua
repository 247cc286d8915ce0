-- Gives partitions that the topic was given later a checkpoint.
--
-- KEYS    ratings:log
-- ARGV    generation, the first partition without a checkpoint, then fields and values to write
-- Reply   'applied', or 'conflict': another generation, or that partition has a checkpoint
-- Writes  the fields, in one command
-- include prelude.lua

return run(function()
  if call('TYPE', KEYS[1]).ok ~= 'hash' then return 'conflict' end
  local seen = call('HMGET', KEYS[1], 'generation', 'position:' .. ARGV[2])
  if seen[1] ~= ARGV[1] or seen[2] then return 'conflict' end
  call('HSET', KEYS[1], unpack(ARGV, 3))
  return 'applied'
end)
