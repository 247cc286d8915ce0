-- Notes which electorate stands, and which record says so.
--
-- KEYS    ratings:log
-- ARGV    generation, the value that the store must have ('': none), the value that it gets
-- Reply   'applied', or 'conflict': another generation, or another value
-- Writes  electorate
-- include prelude.lua

return run(function()
  if call('TYPE', KEYS[1]).ok ~= 'hash' then return 'conflict' end
  local seen = call('HMGET', KEYS[1], 'generation', 'electorate')
  if seen[1] ~= ARGV[1] or (seen[2] or '') ~= ARGV[2] then return 'conflict' end
  call('HSET', KEYS[1], 'electorate', ARGV[3])
  return 'applied'
end)
