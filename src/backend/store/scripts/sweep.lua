-- One step of a rebuild: deletes keys of talks, and of their voters.
--
-- KEYS    ratings:log, those keys
-- ARGV    our token, steps so far
-- Reply   'applied', or 'conflict': somebody else has claimed the store, or it is not at this step
--         (it was restored, say)
-- Writes  those keys, swept
-- include prelude.lua

return run(function()
  if call('TYPE', KEYS[1]).ok ~= 'hash' then return 'conflict' end
  local seen = call('HMGET', KEYS[1], 'claim', 'swept')
  if seen[1] ~= ARGV[1] or (seen[2] or '0') ~= ARGV[2] then return 'conflict' end
  for k = 2, #KEYS do call('UNLINK', KEYS[k]) end
  call('HSET', KEYS[1], 'swept', ARGV[2] + 1)
  return 'applied'
end)
