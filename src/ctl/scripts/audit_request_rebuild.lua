-- Asks whoever projects to rebuild the store, at the wish of whoever runs the tool.
--
-- KEYS    ratings:log
-- ARGV    generation, reason (RATINGS_REBUILD_REQUEST_OPERATOR of the service's shm/rebuild_state.h)
-- Reply   'applied', or 'rebuilt': another generation, which has been rebuilt since, or none
-- Writes  suspect: the request
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then return 'rebuilt' end
if redis.call('HMGET', KEYS[1], 'generation')[1] ~= ARGV[1] then return 'rebuilt' end
redis.call('HSET', KEYS[1], 'suspect', ARGV[2])
return 'applied'
