-- Takes or renews the projector's lease.
--
-- KEYS    ratings:projector
-- ARGV    our token, milliseconds, the most that a lease can last, and what the token of a holder
--         begins with from whom it is taken over; '': from nobody
-- Reply   the token of whoever holds it now
-- Writes  ratings:projector. A key that is no lease (set by hand: of another type, without an end,
--         or for longer than a lease can last) is replaced
--
-- It may be stopped anywhere: only who projects depends on the lease, and no count does.
-- include prelude.lua

return run(function()
  local kind, left = call('TYPE', KEYS[1]).ok, call('PTTL', KEYS[1])
  if kind ~= 'none' and (kind ~= 'string' or left < 0 or left > tonumber(ARGV[3])) then
    call('UNLINK', KEYS[1])
  end
  if call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return ARGV[1] end
  local holder, host = call('GET', KEYS[1]), ARGV[4]
  if holder ~= ARGV[1] and (host == '' or holder:sub(1, #host) ~= host) then return holder end
  call('SET', KEYS[1], ARGV[1], 'XX', 'PX', ARGV[2])
  return ARGV[1]
end)
