-- Reads all that the store says of itself.
--
-- KEYS    ratings:log, ratings:top
-- ARGV    how many fields it can have at most, and how many bytes in fields and values
-- Reply   {digest of generation, digest of claim, all fields and values, talks ranked}: the digests
--         as claim.lua takes them (SHA-1 of '' for none); no fields if there is no key. If there are
--         more fields or bytes, or the key is no hash, the topic in the place of the fields, as far
--         as it can be one ('' for no hash). Talks ranked: how many ratings:top has, where the
--         fields say that talks are ranked; -1 if it is of another type, or where they are not
-- Writes  nothing
-- include prelude.lua

return run(function()
  local kind, head, all, size = call('TYPE', KEYS[1]).ok, {}, {}, 0
  local ranked = -1
  if kind == 'hash' then
    head = call('HMGET', KEYS[1], 'generation', 'claim', 'topic', 'ranking')
    if head[4] then ranked = read('ZCARD', KEYS[2]) or -1 end
    local fits = call('HLEN', KEYS[1]) <= tonumber(ARGV[1])
    if fits then all = call('HGETALL', KEYS[1]) end
    for _, text in ipairs(all) do size = size + #text end
    if not fits or size > tonumber(ARGV[2]) then all = (head[3] or ''):sub(1, 1000) end
  elseif kind ~= 'none' then
    all = ''
  end
  return {redis.sha1hex(head[1] or ''), redis.sha1hex(head[2] or ''), all, ranked}
end)
