-- Ends the emptying of a store: deletes all uses, all barred voters and all windows of tickets, and opens
-- the store at the log's beginning.
--
-- KEYS    ratings:log
-- ARGV    our token, steps of the sweep, how many partitions may have them, then fields and values
--         of the new ratings:log
-- Reply   'applied', or 'conflict' as of sweep.lua
-- Errors  of Redis, with the command in parentheses; if Redis stopped the script between two
--         writes, the claim still stands or ratings:log is gone: the store is rebuilt
-- Writes  ratings:log, ratings:keys:*, ratings:expiry:*, ratings:barred:*,
--         ratings:tickets:*, ratings:top
-- include prelude.lua

return run(function()
  if call('TYPE', KEYS[1]).ok ~= 'hash' then return 'conflict' end
  local seen = call('HMGET', KEYS[1], 'claim', 'swept')
  if seen[1] ~= ARGV[1] or seen[2] ~= ARGV[2] then return 'conflict' end
  for p = 0, tonumber(ARGV[3]) - 1 do
    call('UNLINK', 'ratings:keys:' .. p, 'ratings:expiry:' .. p, 'ratings:barred:' .. p,
         'ratings:tickets:' .. p)
  end
  call('UNLINK', KEYS[1], 'ratings:top')
  call('HSET', KEYS[1], unpack(ARGV, 4))
  return 'applied'
end)
