-- Ends a rebuild: all that the log held when it began is applied, so requests may read the store.
--
-- KEYS    ratings:log
-- ARGV    generation
-- Reply   'applied', or 'conflict': another generation
-- Writes  deletes behind
-- include prelude.lua

return run(function()
  if call('TYPE', KEYS[1]).ok ~= 'hash' then return 'conflict' end
  if call('HMGET', KEYS[1], 'generation')[1] ~= ARGV[1] then return 'conflict' end
  call('HDEL', KEYS[1], 'behind')
  return 'applied'
end)
