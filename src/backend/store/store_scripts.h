/* The scripts that Redis runs: each the whole of one step. An answer is "done", "moved" (the store
 * is not where the caller thought) or "corrupt" (a key is not what we write). KEYS[1] is the log's
 * account (ratings:log) but for the lease's scripts.
 *
 * Redis does not undo what a script wrote before it failed. So each script reads and checks first;
 * then it tries without effect each command that it is about to write with, which may be denied to
 * the service's user (ACL) or renamed; then it writes. A script of several writes that is stopped
 * in their middle all the same leaves a store that ratings_store_load_state finds in need of a
 * rebuild: SCRIPT_APPLY by what it writes first and last, the others since they run under a claim.
 *
 * A full server refuses a script's first command that needs memory, and none after a command that
 * writes, even without effect: so where a full server is to refuse, the first command tried is one
 * that needs memory (HSET, ZADD), and where a script is to free memory, it is one that does not. */
#ifndef RATINGS_STORE_SCRIPTS_H
#define RATINGS_STORE_SCRIPTS_H

/* Around a script that calls Redis by `call`: an error is answered in Redis's own words, with the
 * command that failed after them, in parentheses. Redis 6.2 puts the place in the script before. */
#define SCRIPT_BEGIN                                                                               \
    "local function call(name, ...)\n"                                                             \
    "  local reply = redis.pcall(name, ...)\n"                                                     \
    "  if type(reply) == 'table' and reply.err then error({name, reply.err}, 0) end\n"             \
    "  return reply\n"                                                                             \
    "end\n"                                                                                        \
    "local ok, answer = pcall(function()\n"
#define SCRIPT_END                                                                                 \
    "end)\n"                                                                                       \
    "if ok then return answer end\n"                                                               \
    "if type(answer) ~= 'table' then error(answer, 0) end\n"                                       \
    "local words = answer[2]:gsub('^@user_script: %d+: %-?', '')\n"                                \
    "return redis.error_reply(words .. ' (' .. answer[1] .. ')')\n"

/* KEYS: two hashes; ARGV: how many fields of the first, its fields, those of the second. A script
 * and not a transaction (MULTI), in which a Redis that is out of memory refuses to read. Each of
 * the two is answered, or its error with the command after it. */
#define SCRIPT_READ                                                                                \
    "local n = tonumber(ARGV[1])\n"                                                                \
    "local function get(...)\n"                                                                    \
    "  local reply = redis.pcall('HMGET', ...)\n"                                                  \
    "  if reply.err then reply.err = reply.err .. ' (HMGET)' end\n"                                \
    "  return reply\n"                                                                             \
    "end\n"                                                                                        \
    "return {get(KEYS[1], unpack(ARGV, 2, n + 1)), get(KEYS[2], unpack(ARGV, n + 2))}\n"

/* ARGV: how many fields ratings:log can have at most, and how many bytes. Answers the digests of
 * generation and claim, as SCRIPT_CLAIM takes them, and all fields and values, none if there is no
 * key. If there are more, or it is no hash: the topic instead, as far as it can be one. */
#define SCRIPT_LOAD                                                                                \
    SCRIPT_BEGIN                                                                                   \
    "local t, seen, all, size = call('TYPE', KEYS[1]).ok, {}, {}, 0\n"                             \
    "if t == 'hash' then\n"                                                                        \
    "  seen = call('HMGET', KEYS[1], 'generation', 'claim', 'topic')\n"                            \
    "  local fits = call('HLEN', KEYS[1]) <= tonumber(ARGV[1])\n"                                  \
    "  if fits then all = call('HGETALL', KEYS[1]) end\n"                                          \
    "  for _, text in ipairs(all) do size = size + #text end\n"                                    \
    "  if not fits or size > tonumber(ARGV[2]) then all = (seen[3] or ''):sub(1, 1000) end\n"      \
    "elseif t ~= 'none' then\n"                                                                    \
    "  all = ''\n"                                                                                 \
    "end\n"                                                                                        \
    "return {redis.sha1hex(seen[1] or ''), redis.sha1hex(seen[2] or ''), all}\n" SCRIPT_END

/* How long a use of an idempotency key stays after its window, so that requests under way can still
 * read what became of their events; milliseconds, more than the longest RatingsDeadline. */
#define SCRIPT_KEY_GRACE "120000"

/* In the place of a position while a chunk is being added: no reader takes it for one, whichever
 * version of this module it is of. */
#define SCRIPT_APPLYING "applying"

/* KEYS: log, keys, expiry, talk...
 * ARGV: partition, position, next, mark, generation, log time, first ('' when it is known), number
 *       of uses, the mark of before ('' : none); five increments a talk; for each use its field,
 * its value and when it expires
 *
 * The mark of before: a store that was restored may be of another log.
 * The generation: a chunk read before a rebuild must not be added to the store of after.
 * The expiry set holds fields of `keys` by the time when each expires; a few whose time has passed
 * go with every chunk, by the log's own time, so that what is forgotten does not depend on when the
 * script runs. Both have as many elements as each other, and as uses:N says if it is of this
 * position (an older version leaves it behind), or somebody else has deleted some. */
#define SCRIPT_APPLY                                                                               \
    SCRIPT_BEGIN                                                                                   \
    "local log, keys, expiry, p = KEYS[1], KEYS[2], KEYS[3], ARGV[1]\n"                            \
    "local position, mark, counted = 'position:' .. p, 'mark:' .. p, 'uses:' .. p\n"               \
    "local function typed(name, ...) -- nil: the key is of another type\n"                         \
    "  local reply = redis.pcall(name, ...)\n"                                                     \
    "  if type(reply) ~= 'table' or not reply.err then return reply end\n"                         \
    "  if not reply.err:find('WRONGTYPE', 1, true) then error({name, reply.err}, 0) end\n"         \
    "end\n"                                                                                        \
    "local seen = typed('HMGET', log, position, 'generation', mark, counted)\n"                    \
    "if not seen or seen[1] ~= ARGV[2] or seen[2] ~= ARGV[5] or (seen[3] or '') ~= ARGV[9] then\n" \
    "  return 'moved'\n"                                                                           \
    "end\n"                                                                                        \
    "local talks, uses, time = #KEYS - 3, tonumber(ARGV[8]), tonumber(ARGV[6])\n"                  \
    "local kept, expiring = typed('HLEN', keys), typed('ZCARD', expiry)\n"                         \
    "local of, had = (seen[4] or ''):match('^(%d+):(%d+)$')\n"                                     \
    "if not kept or kept ~= expiring or (of == ARGV[2] and had ~= tostring(kept)) then\n"          \
    "  return 'corrupt'\n"                                                                         \
    "end\n"                                                                                        \
    "local sums, past = {}, {}\n"                                                                  \
    "for k = 1, talks do\n"                                                                        \
    "  local counts = typed('HMGET', KEYS[3 + k], '1', '2', '3', '4', '5')\n"                      \
    "  if not counts then return 'corrupt' end\n"                                                  \
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
    "if kept > 0 then\n"                                                                           \
    "  past = call('ZRANGEBYSCORE', expiry, '-inf', time - " SCRIPT_KEY_GRACE ",\n"                \
    "              'LIMIT', 0, 2 * uses + 16)\n"                                                   \
    "end\n"                                                                                        \
    "if uses > 0 or #past > 0 then -- tried, without effect\n"                                     \
    "  call('ZADD', expiry, 'XX', 0, '')\n"                                                        \
    "  call('HDEL', keys, '')\n"                                                                   \
    "  call('ZREM', expiry, '')\n"                                                                 \
    "end\n"                                                                                        \
    "call('HSET', log, position, '" SCRIPT_APPLYING "')\n"                                         \
    "for k = 1, talks do\n"                                                                        \
    "  if #sums[k] > 0 then call('HSET', KEYS[3 + k], unpack(sums[k])) end\n"                      \
    "end\n"                                                                                        \
    "for _, field in ipairs(past) do\n"                                                            \
    "  call('HDEL', keys, field)\n"                                                                \
    "  call('ZREM', expiry, field)\n"                                                              \
    "end\n"                                                                                        \
    "for u = 1, uses do\n"                                                                         \
    "  local at = 9 + talks * 5 + (u - 1) * 3\n"                                                   \
    "  call('HSET', keys, ARGV[at + 1], ARGV[at + 2])\n"                                           \
    "  call('ZADD', expiry, ARGV[at + 3], ARGV[at + 1])\n"                                         \
    "end\n"                                                                                        \
    "local place = {position, ARGV[3], mark, ARGV[4], 'time:' .. p, ARGV[6],\n"                    \
    "               counted, ARGV[3] .. ':' .. call('HLEN', keys)}\n"                              \
    "if ARGV[7] ~= '' then\n"                                                                      \
    "  place[9], place[10] = 'first:' .. p, ARGV[7]\n"                                             \
    "end\n"                                                                                        \
    "call('HSET', log, unpack(place))\n"                                                           \
    "return 'done'\n" SCRIPT_END

/* ARGV: generation, the first partition without a position, then fields and values. */
#define SCRIPT_EXTEND                                                                              \
    SCRIPT_BEGIN                                                                                   \
    "if call('TYPE', KEYS[1]).ok ~= 'hash' then return 'moved' end\n"                              \
    "local seen = call('HMGET', KEYS[1], 'generation', 'position:' .. ARGV[2])\n"                  \
    "if seen[1] ~= ARGV[1] or seen[2] then return 'moved' end\n"                                   \
    "call('HSET', KEYS[1], unpack(ARGV, 3))\n"                                                     \
    "return 'done'\n" SCRIPT_END

/* ARGV: generation, partitions, routing, and that of before ('' : none) */
#define SCRIPT_ROUTE                                                                               \
    SCRIPT_BEGIN                                                                                   \
    "if call('TYPE', KEYS[1]).ok ~= 'hash' then return 'moved' end\n"                              \
    "local seen = call('HMGET', KEYS[1], 'generation', 'routing')\n"                               \
    "if seen[1] ~= ARGV[1] or (seen[2] or '') ~= ARGV[4] then return 'moved' end\n"                \
    "call('HSET', KEYS[1], 'partitions', ARGV[2], 'routing', ARGV[3])\n"                           \
    "return 'done'\n" SCRIPT_END

/* ARGV: generation, partition, position, next. For a partition without a mark. */
#define SCRIPT_PASS                                                                                \
    SCRIPT_BEGIN                                                                                   \
    "local position = 'position:' .. ARGV[2]\n"                                                    \
    "if call('TYPE', KEYS[1]).ok ~= 'hash' then return 'moved' end\n"                              \
    "local seen = call('HMGET', KEYS[1], 'generation', position, 'mark:' .. ARGV[2])\n"            \
    "if seen[1] ~= ARGV[1] or seen[2] ~= ARGV[3] or seen[3] then return 'moved' end\n"             \
    "call('HSET', KEYS[1], position, ARGV[4], 'first:' .. ARGV[2], 'empty')\n"                     \
    "return 'done'\n" SCRIPT_END

/* KEYS: log, and one of each other kind that nobody uses: a talk, keys, expiry.
 * ARGV: digests of generation and claim as they were seen (of '' for none), our token
 *
 * What the store says of itself is given up here. So everything that the rebuild and the chunks
 * after it take is tried before. What is tried first frees memory, as a full server may need. */
#define SCRIPT_CLAIM                                                                               \
    SCRIPT_BEGIN                                                                                   \
    "local log, talk, keys, expiry = unpack(KEYS)\n"                                               \
    "local seen = {false, false}\n"                                                                \
    "if call('TYPE', log).ok == 'hash' then seen = call('HMGET', log, 'generation', 'claim') "     \
    "end\n"                                                                                        \
    "for i = 1, 2 do\n"                                                                            \
    "  if redis.sha1hex(seen[i] or '') ~= ARGV[i] then return 'moved' end\n"                       \
    "end\n"                                                                                        \
    "call('UNLINK', talk, keys, expiry)\n"                                                         \
    "call('HDEL', keys, '')\n"                                                                     \
    "call('HLEN', keys)\n"                                                                         \
    "call('ZREM', expiry, '')\n"                                                                   \
    "call('ZADD', expiry, 'XX', 0, '')\n"                                                          \
    "call('ZCARD', expiry)\n"                                                                      \
    "call('ZRANGEBYSCORE', expiry, 0, 0)\n"                                                        \
    "call('SCAN', '0', 'COUNT', '1')\n"                                                            \
    "for _, key in ipairs({talk, keys}) do\n"                                                      \
    "  call('HSET', key, '1', '0')\n"                                                              \
    "  call('UNLINK', key)\n"                                                                      \
    "end\n"                                                                                        \
    "call('UNLINK', log)\n"                                                                        \
    "call('HSET', log, 'claim', ARGV[3])\n"                                                        \
    "return 'done'\n" SCRIPT_END

/* KEYS: log, talk...; ARGV: our token, steps so far */
#define SCRIPT_SWEEP                                                                               \
    SCRIPT_BEGIN                                                                                   \
    "if call('TYPE', KEYS[1]).ok ~= 'hash' then return 'moved' end\n"                              \
    "local seen = call('HMGET', KEYS[1], 'claim', 'swept')\n"                                      \
    "if seen[1] ~= ARGV[1] or (seen[2] or '0') ~= ARGV[2] then return 'moved' end\n"               \
    "for k = 2, #KEYS do call('UNLINK', KEYS[k]) end\n"                                            \
    "call('HSET', KEYS[1], 'swept', ARGV[2] + 1)\n"                                                \
    "return 'done'\n" SCRIPT_END

/* ARGV: our token, steps of the sweep, how many partitions may have idempotency keys, then fields
 * and values of the store's new account of the log. */
#define SCRIPT_OPEN                                                                                \
    SCRIPT_BEGIN                                                                                   \
    "if call('TYPE', KEYS[1]).ok ~= 'hash' then return 'moved' end\n"                              \
    "local seen = call('HMGET', KEYS[1], 'claim', 'swept')\n"                                      \
    "if seen[1] ~= ARGV[1] or seen[2] ~= ARGV[2] then return 'moved' end\n"                        \
    "for p = 0, tonumber(ARGV[3]) - 1 do\n"                                                        \
    "  call('UNLINK', 'ratings:keys:' .. p, 'ratings:expiry:' .. p)\n"                             \
    "end\n"                                                                                        \
    "call('UNLINK', KEYS[1])\n"                                                                    \
    "call('HSET', KEYS[1], unpack(ARGV, 4))\n"                                                     \
    "return 'done'\n" SCRIPT_END

/* ARGV: generation. What the log held when the rebuild began is applied: the store may be shown. */
#define SCRIPT_CAUGHT_UP                                                                           \
    SCRIPT_BEGIN                                                                                   \
    "if call('TYPE', KEYS[1]).ok ~= 'hash' then return 'moved' end\n"                              \
    "if call('HMGET', KEYS[1], 'generation')[1] ~= ARGV[1] then return 'moved' end\n"              \
    "call('HDEL', KEYS[1], 'behind')\n"                                                            \
    "return 'done'\n" SCRIPT_END

/* ARGV: generation, reason. For whoever projects, which may be another host. */
#define SCRIPT_SUSPECT                                                                             \
    SCRIPT_BEGIN                                                                                   \
    "if call('TYPE', KEYS[1]).ok ~= 'hash' then return 'moved' end\n"                              \
    "if call('HMGET', KEYS[1], 'generation')[1] ~= ARGV[1] then return 'moved' end\n"              \
    "call('HSET', KEYS[1], 'suspect', ARGV[2])\n"                                                  \
    "return 'done'\n" SCRIPT_END

/* KEYS: lease; ARGV: token, milliseconds, the most that a lease can last. Answers the holder. What
 * is no lease (overwritten by hand: of another type, for ever, for longer than one can last) goes.
 * Nothing but who projects depends on it, so it may be stopped anywhere. */
#define SCRIPT_LEASE                                                                               \
    SCRIPT_BEGIN                                                                                   \
    "local t, left = call('TYPE', KEYS[1]).ok, call('PTTL', KEYS[1])\n"                            \
    "if t ~= 'none' and (t ~= 'string' or left < 0 or left > tonumber(ARGV[3])) then\n"            \
    "  call('UNLINK', KEYS[1])\n"                                                                  \
    "end\n"                                                                                        \
    "if call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return ARGV[1] end\n"              \
    "local holder = call('GET', KEYS[1])\n"                                                        \
    "if holder == ARGV[1] then call('SET', KEYS[1], ARGV[1], 'XX', 'PX', ARGV[2]) end\n"           \
    "return holder\n" SCRIPT_END

/* KEYS: lease; ARGV: token */
#define SCRIPT_RELEASE                                                                             \
    SCRIPT_BEGIN                                                                                   \
    "if call('GET', KEYS[1]) == ARGV[1] then call('UNLINK', KEYS[1]) end\n"                        \
    "return 'done'\n" SCRIPT_END

#endif
