/* The scripts that Redis runs: each the whole of one step. An answer is "done", "moved" (the store
 * is not where the caller thought) or "corrupt" (a key is not what we write). A script that fails
 * midway is not rolled back, so each checks first and writes last. KEYS[1] is ratings:log but for
 * the lease's scripts. */
#ifndef RATINGS_BACKEND_STORE_SCRIPTS_H
#define RATINGS_BACKEND_STORE_SCRIPTS_H

/* KEYS: two hashes; ARGV: how many fields of the first, its fields, those of the second. A script
 * and not a transaction (MULTI), in which a Redis that is out of memory refuses to read. */
#define SCRIPT_READ                                                                                \
    "local n = tonumber(ARGV[1])\n"                                                                \
    "return {redis.pcall('HMGET', KEYS[1], unpack(ARGV, 2, n + 1)),\n"                             \
    "        redis.pcall('HMGET', KEYS[2], unpack(ARGV, n + 2))}\n"

/* How long a use of an idempotency key stays after its window, so that requests under way can still
 * read what became of their events; milliseconds, more than the longest RatingsDeadline. */
#define SCRIPT_KEY_GRACE "120000"

/* KEYS: log, keys, expiry, talk...
 * ARGV: partition, position, next, mark, generation, log time, first ('' when it is known), number
 *       of uses, the mark of before ('' : none); five increments a talk; for each use its field,
 * its value and when it expires
 *
 * The mark of before: a store that was restored may be of another log.
 * The generation: a chunk read before a rebuild must not be added to the store of after.
 * The expiry set holds fields of `keys` by the time when each expires; a few whose time has passed
 * go with every chunk, by the log's own time, so that what is forgotten does not depend on when the
 * script runs. */
#define SCRIPT_APPLY                                                                               \
    "local log, keys, expiry, p = KEYS[1], KEYS[2], KEYS[3], ARGV[1]\n"                            \
    "local function type_of(key) return redis.call('TYPE', key).ok end\n"                          \
    "local function is(key, wanted)\n"                                                             \
    "  local t = type_of(key)\n"                                                                   \
    "  return t == wanted or t == 'none'\n"                                                        \
    "end\n"                                                                                        \
    "if type_of(log) ~= 'hash' or redis.call('HGET', log, 'position:' .. p) ~= ARGV[2]\n"          \
    "   or redis.call('HGET', log, 'generation') ~= ARGV[5]\n"                                     \
    "   or (redis.call('HGET', log, 'mark:' .. p) or '') ~= ARGV[9] then\n"                        \
    "  return 'moved'\n"                                                                           \
    "end\n"                                                                                        \
    "local talks, uses, time = #KEYS - 3, tonumber(ARGV[8]), tonumber(ARGV[6])\n"                  \
    "local keeps_keys = uses > 0 or type_of(expiry) ~= 'none'\n"                                   \
    "if keeps_keys and not (is(keys, 'hash') and is(expiry, 'zset')) then return 'corrupt' end\n"  \
    "local sums = {}\n"                                                                            \
    "for k = 1, talks do\n"                                                                        \
    "  local counts = redis.pcall('HMGET', KEYS[3 + k], '1', '2', '3', '4', '5')\n"                \
    "  if counts.err then\n"                                                                       \
    "    return type_of(KEYS[3 + k]) == 'hash' and counts or 'corrupt'\n"                          \
    "  end\n"                                                                                      \
    "  local sum = {}\n"                                                                           \
    "  for v = 1, 5 do\n"                                                                          \
    "    local n, added = counts[v], ARGV[9 + (k - 1) * 5 + v]\n"                                  \
    "    if n and (#n > 15 or n:find('%D') or n == '') then return 'corrupt' end\n"                \
    "    if added ~= '0' then\n"                                                                   \
    "      sum[#sum + 1] = v\n"                                                                    \
    "      sum[#sum + 1] = n and string.format('%.0f', n + added) or added\n"                      \
    "    end\n"                                                                                    \
    "  end\n"                                                                                      \
    "  sums[k] = sum\n"                                                                            \
    "end\n"                                                                                        \
    "for k = 1, talks do\n"                                                                        \
    "  if #sums[k] > 0 then redis.call('HSET', KEYS[3 + k], unpack(sums[k])) end\n"                \
    "end\n"                                                                                        \
    "for u = 1, uses do\n"                                                                         \
    "  local at = 9 + talks * 5 + (u - 1) * 3\n"                                                   \
    "  redis.call('HSET', keys, ARGV[at + 1], ARGV[at + 2])\n"                                     \
    "  redis.call('ZADD', expiry, ARGV[at + 3], ARGV[at + 1])\n"                                   \
    "end\n"                                                                                        \
    "if keeps_keys then\n"                                                                         \
    "  local past = redis.call('ZRANGEBYSCORE', expiry, '-inf', time - " SCRIPT_KEY_GRACE ",\n"    \
    "                          'LIMIT', 0, 2 * uses + 16)\n"                                       \
    "  for _, field in ipairs(past) do\n"                                                          \
    "    redis.call('HDEL', keys, field)\n"                                                        \
    "    redis.call('ZREM', expiry, field)\n"                                                      \
    "  end\n"                                                                                      \
    "end\n"                                                                                        \
    "redis.call('HSET', log, 'position:' .. p, ARGV[3], 'mark:' .. p, ARGV[4],\n"                  \
    "           'time:' .. p, ARGV[6])\n"                                                          \
    "if ARGV[7] ~= '' then redis.call('HSET', log, 'first:' .. p, ARGV[7]) end\n"                  \
    "return 'done'\n"

/* ARGV: generation, first partition, last partition */
#define SCRIPT_EXTEND                                                                              \
    "if redis.call('TYPE', KEYS[1]).ok ~= 'hash'\n"                                                \
    "   or redis.call('HGET', KEYS[1], 'generation') ~= ARGV[1] then return 'moved' end\n"         \
    "for p = tonumber(ARGV[2]), tonumber(ARGV[3]) do\n"                                            \
    "  redis.call('HSETNX', KEYS[1], 'position:' .. p, '0')\n"                                     \
    "end\n"                                                                                        \
    "return 'done'\n"

/* ARGV: generation and claim as they were seen ('' for none), our token */
#define SCRIPT_CLAIM                                                                               \
    "local t = redis.call('TYPE', KEYS[1]).ok\n"                                                   \
    "local seen = {false, false}\n"                                                                \
    "if t == 'hash' then seen = redis.call('HMGET', KEYS[1], 'generation', 'claim') end\n"         \
    "if (seen[1] or '') ~= ARGV[1] or (seen[2] or '') ~= ARGV[2] then return 'moved' end\n"        \
    "redis.call('DEL', KEYS[1])\n"                                                                 \
    "redis.call('HSET', KEYS[1], 'claim', ARGV[3])\n"                                              \
    "return 'done'\n"

/* KEYS: log, talk...; ARGV: our token, steps so far */
#define SCRIPT_SWEEP                                                                               \
    "if redis.call('TYPE', KEYS[1]).ok ~= 'hash'\n"                                                \
    "   or redis.call('HGET', KEYS[1], 'claim') ~= ARGV[1]\n"                                      \
    "   or (redis.call('HGET', KEYS[1], 'swept') or '0') ~= ARGV[2] then return 'moved' end\n"     \
    "for k = 2, #KEYS do redis.call('UNLINK', KEYS[k]) end\n"                                      \
    "redis.call('HINCRBY', KEYS[1], 'swept', 1)\n"                                                 \
    "return 'done'\n"

/* ARGV: our token (the generation from now on), topic, routed, partitions, how many partitions may
 * have idempotency keys, steps of the sweep, '1' when there is a log to read (behind), then the
 * partitions whose log is empty. */
#define SCRIPT_OPEN                                                                                \
    "if redis.call('TYPE', KEYS[1]).ok ~= 'hash'\n"                                                \
    "   or redis.call('HGET', KEYS[1], 'claim') ~= ARGV[1]\n"                                      \
    "   or redis.call('HGET', KEYS[1], 'swept') ~= ARGV[6] then return 'moved' end\n"              \
    "for p = 0, tonumber(ARGV[5]) - 1 do\n"                                                        \
    "  redis.call('UNLINK', 'ratings:keys:' .. p, 'ratings:expiry:' .. p)\n"                       \
    "end\n"                                                                                        \
    "redis.call('DEL', KEYS[1])\n"                                                                 \
    "redis.call('HSET', KEYS[1], 'generation', ARGV[1], 'topic', ARGV[2], 'partitions', "          \
    "ARGV[3])\n"                                                                                   \
    "if ARGV[7] == '1' then redis.call('HSET', KEYS[1], 'behind', '1') end\n"                      \
    "for p = 0, tonumber(ARGV[4]) - 1 do redis.call('HSET', KEYS[1], 'position:' .. p, '0') end\n" \
    "for i = 8, #ARGV do redis.call('HSET', KEYS[1], 'first:' .. ARGV[i], 'empty') end\n"          \
    "return 'done'\n"

/* ARGV: generation. What the log held when the rebuild began is applied: the store may be shown. */
#define SCRIPT_CAUGHT_UP                                                                           \
    "if redis.call('TYPE', KEYS[1]).ok ~= 'hash'\n"                                                \
    "   or redis.call('HGET', KEYS[1], 'generation') ~= ARGV[1] then return 'moved' end\n"         \
    "redis.call('HDEL', KEYS[1], 'behind')\n"                                                      \
    "return 'done'\n"

/* ARGV: generation, reason. For whoever projects, which may be another host. */
#define SCRIPT_SUSPECT                                                                             \
    "if redis.call('TYPE', KEYS[1]).ok ~= 'hash'\n"                                                \
    "   or redis.call('HGET', KEYS[1], 'generation') ~= ARGV[1] then return 'moved' end\n"         \
    "redis.call('HSET', KEYS[1], 'suspect', ARGV[2])\n"                                            \
    "return 'done'\n"

/* KEYS: lease; ARGV: token, milliseconds. Answers the holder. What is not a lease (overwritten by
 * hand: another type, or for ever) goes. */
#define SCRIPT_LEASE                                                                               \
    "local t = redis.call('TYPE', KEYS[1]).ok\n"                                                   \
    "if t ~= 'none' and (t ~= 'string' or redis.call('PTTL', KEYS[1]) < 0) then\n"                 \
    "  redis.call('DEL', KEYS[1])\n"                                                               \
    "end\n"                                                                                        \
    "if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return ARGV[1] end\n"        \
    "local holder = redis.call('GET', KEYS[1])\n"                                                  \
    "if holder == ARGV[1] then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end\n"                      \
    "return holder\n"

/* KEYS: lease; ARGV: token */
#define SCRIPT_RELEASE                                                                             \
    "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end\n"               \
    "return 'done'\n"

#endif
