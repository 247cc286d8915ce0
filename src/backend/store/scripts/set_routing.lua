-- Notes by how many partitions talks are routed, and which record says so.
--
-- KEYS    ratings:log
-- ARGV    generation, number of partitions, offset of the record, offset of the one before (-1: there
--         was none)
-- Reply   'applied', or 'conflict': another generation, or another record before
-- Writes  partitions and routing, in one command
-- include prelude.lua

return run(function()
  if call('TYPE', KEYS[1]).ok ~= 'hash' then return 'conflict' end
  local seen = call('HMGET', KEYS[1], 'generation', 'routing')
  if seen[1] ~= ARGV[1] or (seen[2] or '-1') ~= ARGV[4] then return 'conflict' end
  call('HSET', KEYS[1], 'partitions', ARGV[2], 'routing', ARGV[3])
  return 'applied'
end)
