-- Reads the barred voters of a partition, as they are at a checkpoint.
--
-- KEYS    ratings:log, ratings:barred:P
-- ARGV    generation, partition P, checkpoint that the store must have, number of barred voters
-- Reply   the voters' hashes; 'conflict': another generation or checkpoint; 'corrupt': the key is
--         no hash, or has not so many fields
-- Writes  nothing
-- include prelude.lua

return run(function()
  if call('TYPE', KEYS[1]).ok ~= 'hash' then return 'conflict' end
  local seen = call('HMGET', KEYS[1], 'generation', 'position:' .. ARGV[2])
  if seen[1] ~= ARGV[1] or seen[2] ~= ARGV[3] then return 'conflict' end
  if call('TYPE', KEYS[2]).ok ~= 'hash' then return 'corrupt' end
  if call('HLEN', KEYS[2]) ~= tonumber(ARGV[4]) then return 'corrupt' end
  local all, voters = call('HGETALL', KEYS[2]), {}
  for i = 1, #all, 2 do voters[#voters + 1] = all[i] end
  return voters
end)
