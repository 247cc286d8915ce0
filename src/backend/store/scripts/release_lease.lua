-- Gives the projector's lease up, if it is ours.
--
-- KEYS    ratings:projector
-- ARGV    our token
-- Reply   'applied', whoever holds it
-- Writes  deletes ratings:projector
-- include prelude.lua

return run(function()
  if call('GET', KEYS[1]) == ARGV[1] then call('UNLINK', KEYS[1]) end
  return 'applied'
end)
