-- Asks whoever projects, which may be another host, to rebuild the store.
--
-- KEYS    ratings:log
-- ARGV    generation, reason (ratings_rebuild_request_e)
-- Reply   'applied', or 'conflict': another generation, which has been rebuilt since
-- Writes  suspect
-- include prelude.lua

return run(function()
  if call('TYPE', KEYS[1]).ok ~= 'hash' then return 'conflict' end
  if call('HMGET', KEYS[1], 'generation')[1] ~= ARGV[1] then return 'conflict' end
  call('HSET', KEYS[1], 'suspect', ARGV[2])
  return 'applied'
end)
