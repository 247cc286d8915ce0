/* The scripts that Redis runs: each the whole of one step. An answer is "done", "moved" (the store
 * is not where the caller thought) or "corrupt" (a key is not what we write). A script that fails
 * midway is not rolled back, so each checks first and writes last. KEYS[1] is ratings:log but for
 * the lease's scripts. */
#ifndef RATINGS_BACKEND_STORE_SCRIPTS_H
#define RATINGS_BACKEND_STORE_SCRIPTS_H

/* KEYS: log, talk...; ARGV: partition, position, next, mark, generation, then five increments a
 * talk. The generation: a chunk read before a rebuild must not be added to the store of after. */
#define SCRIPT_APPLY                                                                               \
    "local log, p = KEYS[1], ARGV[1]\n"                                                            \
    "local t = redis.call('TYPE', log).ok\n"                                                       \
    "if t ~= 'hash' or redis.call('HGET', log, 'position:' .. p) ~= ARGV[2]\n"                     \
    "   or redis.call('HGET', log, 'generation') ~= ARGV[5] then\n"                                \
    "  return 'moved'\n"                                                                           \
    "end\n"                                                                                        \
    "for k = 2, #KEYS do\n"                                                                        \
    "  t = redis.call('TYPE', KEYS[k]).ok\n"                                                       \
    "  if t == 'hash' then\n"                                                                      \
    "    for _, n in ipairs(redis.call('HMGET', KEYS[k], '1', '2', '3', '4', '5')) do\n"           \
    "      if n and (#n > 15 or not n:match('^%d+$')) then return 'corrupt' end\n"                 \
    "    end\n"                                                                                    \
    "  elseif t ~= 'none' then\n"                                                                  \
    "    return 'corrupt'\n"                                                                       \
    "  end\n"                                                                                      \
    "end\n"                                                                                        \
    "for k = 2, #KEYS do\n"                                                                        \
    "  for v = 1, 5 do\n"                                                                          \
    "    local n = ARGV[5 + (k - 2) * 5 + v]\n"                                                    \
    "    if n ~= '0' then redis.call('HINCRBY', KEYS[k], v, n) end\n"                              \
    "  end\n"                                                                                      \
    "end\n"                                                                                        \
    "redis.call('HSET', log, 'position:' .. p, ARGV[3], 'mark:' .. p, ARGV[4])\n"                  \
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

/* KEYS: log, talk...; ARGV: our token */
#define SCRIPT_SWEEP                                                                               \
    "if redis.call('TYPE', KEYS[1]).ok ~= 'hash'\n"                                                \
    "   or redis.call('HGET', KEYS[1], 'claim') ~= ARGV[1] then return 'moved' end\n"              \
    "for k = 2, #KEYS do redis.call('UNLINK', KEYS[k]) end\n"                                      \
    "return 'done'\n"

/* ARGV: our token (the generation from now on), topic, routed, partitions */
#define SCRIPT_OPEN                                                                                \
    "if redis.call('TYPE', KEYS[1]).ok ~= 'hash'\n"                                                \
    "   or redis.call('HGET', KEYS[1], 'claim') ~= ARGV[1] then return 'moved' end\n"              \
    "redis.call('DEL', KEYS[1])\n"                                                                 \
    "redis.call('HSET', KEYS[1], 'generation', ARGV[1], 'topic', ARGV[2], 'partitions', "          \
    "ARGV[3])\n"                                                                                   \
    "for p = 0, tonumber(ARGV[4]) - 1 do redis.call('HSET', KEYS[1], 'position:' .. p, '0') end\n" \
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
