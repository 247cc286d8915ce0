-- Begins a rebuild: takes away all that the store says of itself, and claims it.
--
-- KEYS    ratings:log, and six that nobody uses: of a talk, of its voters, of uses, of their
--         expiry, of barred voters, of windows of tickets
-- ARGV    digests of generation and claim as they were seen (load_state.lua), our token
-- Reply   'applied', or 'conflict': another generation or claim by now; nothing was written
-- Errors  of Redis, with the command in parentheses; ratings:log is as it was, unless Redis stopped
--         the script between its last two writes: then the store is empty, and is rebuilt
-- Writes  ratings:log, which then has the claim alone
--
-- Everything that the rebuild and the batches after it take is tried before: a store that could not
-- be filled again must not be emptied. What is tried first frees memory and needs none, as a full
-- server may need that.
-- include prelude.lua

return run(function()
  local log, talk, voters, keys, expiry, barred, tickets = unpack(KEYS)
  local seen = {false, false}
  if call('TYPE', log).ok == 'hash' then seen = call('HMGET', log, 'generation', 'claim') end
  for i = 1, 2 do
    if redis.sha1hex(seen[i] or '') ~= ARGV[i] then return 'conflict' end
  end

  call('UNLINK', talk, voters, keys, expiry, barred, tickets)
  for _, key in ipairs({keys, voters, barred, tickets}) do
    call('HDEL', key, '')
    call('HLEN', key)
  end
  call('ZREM', expiry, '')
  call('ZADD', expiry, 'XX', 0, '')
  call('ZCARD', expiry)
  call('ZRANGEBYSCORE', expiry, 0, 0)
  call('SCAN', '0', 'COUNT', '1')
  for _, key in ipairs({talk, voters, keys, barred, tickets}) do
    call('HSET', key, '1', '0')
    call('UNLINK', key)
  end

  call('UNLINK', log)
  call('HSET', log, 'claim', ARGV[3])
  return 'applied'
end)
