-- Begins to rank the talks by a prior, or ends that.
--
-- KEYS    ratings:log, ratings:top
-- ARGV    generation, the prior ('': talks are not ranked)
-- Reply   'applied', or 'conflict': another generation
-- Writes  deletes ratings:top; ranking, ranked, rerank; deletes ranked:P
--
-- From then on each batch ranks its own talks (apply.lua), and rank.lua all others, step by step.
-- What it writes with is tried without effect before. Stopped between two writes all the same, it is
-- run again: the store then has fewer talks in ratings:top than ranked says, or a ranking still that
-- is to end.
-- include prelude.lua

return run(function()
  local log, top = KEYS[1], KEYS[2]
  if call('TYPE', log).ok ~= 'hash' then return 'conflict' end
  local state, fields = call('HGETALL', log), {'ranking', 'ranked', 'rerank'}
  for i = 1, #state, 2 do
    if state[i] == 'generation' and state[i + 1] ~= ARGV[1] then return 'conflict' end
    if state[i]:find('^ranked:%d+$') then fields[#fields + 1] = state[i] end
  end

  if ARGV[2] ~= '' then call('HSET', log, 'generation', ARGV[1]) end
  call('HDEL', log, '')

  call('UNLINK', top)
  call('HDEL', log, unpack(fields))
  if ARGV[2] ~= '' then
    call('HSET', log, 'ranking', ARGV[2], 'ranked', '0', 'rerank', ':0')
  end
  return 'applied'
end)
