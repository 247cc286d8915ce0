-- Applies one batch: the counts of its talks, its votes (ratings of voters, set or withdrawn), its
-- uses of idempotency keys, who it bars, which electorate it begins, which tickets have counted, and
-- its checkpoint.
--
-- KEYS    ratings:log, ratings:keys:P, ratings:expiry:P, ratings:barred:P, ratings:tickets:P, the
--         talks' keys, then of each talk with votes its voters' key
-- ARGV    1 partition P             2 checkpoint that the store must have
--         3 next checkpoint         4 fingerprint of the batch's last record
--         5 generation              6 the log's time after the batch, milliseconds
--         7 fingerprint of the log's first record, '' if the store has it
--         8 number of uses          9 fingerprint that the store must have as its last, '' for none
--         10 number of talks with votes
--         11 number of barred voters that the store must have
--         12 who is barred, or no longer: one after the other, 33 bytes each, the voter's hash in
--         hexadecimal and '1' or '0'
--         13 the electorate that stands after the batch, '' if that is as before
--         14 number of windows of tickets that the store must have
--         15 lives whose windows go, one after the other, 16 bytes each
--         16 windows that change, the same, 160 bytes each: the life, and its window after the batch
--         17 '' for a whole batch; of a part of one a token, the same for all of its parts
--         18 how many parts were written before   19 '1' if more follow
--         20 '1' for the talks' counts in the reply
--         then five increments for each talk, of its anonymous ratings; then for each use its
--         field, value and expiry; then for each talk with votes its number, the fields of their
--         voters, one after the other, 16 bytes each, and in the same order a digit each, what the
--         rating becomes ('0': none). Of a part instead of these two: field and digit of each vote in
--         turn, 17 bytes, none with '0'; and how many of them are 1 to 5, "n,n,n,n,n"
-- Reply   'applied'; if asked for, the counts of each talk after it, five of 8 bytes, big-endian, as they are
--         after the batch
--         'conflict': another generation, checkpoint or last record; nothing was written
--         'corrupt': a key is not what this module writes; nothing was written, but when a part finds
--         that a voter has had a rating: then position:P says 'applying'
-- Errors  of Redis, with the command in parentheses; nothing was written unless Redis stopped the
--         script between two writes: then position:P says 'applying', and the store is rebuilt
--         (load_state.lua, store_state.c)
-- Writes  position:P, mark:P, time:P, uses:P, voters:P, barred:P, tickets:P, first:P, electorate of
--         ratings:log; the talks and their voters; keys and expiry; barred voters; windows of tickets;
--         where talks are ranked ratings:top, ranked, ranked:P, rerank; of parts claim, swept, generation
--
-- The last record is compared, as a store that was restored may be of another log. The generation
-- is compared, as a batch that was read before a rebuild must not go into the store of after.
--
-- The expiry set holds fields of `keys` by when each expires. A few that have expired by the log's
-- own time go with every batch: what is forgotten does not depend on when the script runs. Both
-- have the same number of elements, that of uses:P if it is of this checkpoint (an older version
-- leaves uses:P behind), or somebody else has deleted some.
--
-- A vote takes the voter's old rating out of the counts. A talk that has had a voter says how many
-- of its ratings are anonymous: with the number of voters they are the sum of the counts, or the
-- voters' key was lost. voters:P is the checkpoint up to which votes are counted as such; an older
-- version, which counts each as an anonymous rating, leaves it behind.
--
-- A batch that is too large for one script goes in parts, while the store is being rebuilt and none of
-- the batch's voters has a rating of its talk: nothing is looked up. The first one takes the generation
-- away and leaves token and number of parts in its place, as the claim of a rebuild (claim.lua), so that
-- every other script is refused and whoever opens the store rebuilds it; the last one writes all that is
-- not of a talk, and gives the generation back. The token and the number tell whether the store has
-- just the parts before: it may have been restored, or somebody else may write the same batch.
--
-- Ratings of barred voters are not in the batch: the projector knows who is barred at its
-- checkpoint. barred:P is how many they are, without which a loss of the key would let them count.
-- The same with tickets that have counted: tickets:P is the number of their windows, and of which
-- checkpoint they are. An older version leaves it behind; where there were none, the projector has
-- looked whether that one applied any (event_fold.c).
--
-- Where talks are ranked, ranking is the prior, and ratings:top has ranked of them. ranked:P is the
-- checkpoint up to which it has; an older version leaves it behind. Whatever of ratings:top is not
-- so, all talks are ranked anew (rerank, for rank.lua): no count depends on it.
-- include prelude.lua
-- include score.lua

-- How long a use stays after it has expired, milliseconds: more than the longest RatingsDeadline,
-- so that requests under way still read what became of their events.
local GRACE = 120000

local RATING = {['1'] = 1, ['2'] = 2, ['3'] = 3, ['4'] = 4, ['5'] = 5}
local ZERO = ('0'):byte()
local DIGIT = {'1', '2', '3', '4', '5'} -- Redis takes four times as long for a number
local VOTER, VOTER_SIZE = 'c16', 16 -- a voter's field, for struct.unpack
local NEW, NEW_SIZE = 'c16c1', 17 -- the same, and a digit
local BAR = 32 -- bytes of the field of a barred voter
local LIFE, WINDOW = 16, 144 -- the same of a window of tickets, and of its value
local COUNTS = '>I8I8I8I8I8' -- of a talk, for struct.pack
local FIXED, HEAD = 5, 20 -- keys before the talks', arguments before the increments
local TOP, TALK = 'ratings:top', 'ratings/' -- the latter with a talk's id after it
local CHUNK = 1000 -- fields that one command takes: Lua's stack has room for 8,000 values

-- Redis keeps up to 512 voters of a talk in one list (hash-max-listpack-entries; 128 in its own
-- configuration file), which each look-up walks through. A value of more than 64 bytes makes it a
-- table sooner, of as many bytes a voter as any larger one.
local LISTED, WIDE = 128, ('-'):rep(65)

return run(function()
  local log, keys, expiry, barred, tickets = unpack(KEYS, 1, FIXED)
  local partition = ARGV[1]
  local checkpoint, last = 'position:' .. partition, 'mark:' .. partition
  local counted, voters_to = 'uses:' .. partition, 'voters:' .. partition
  local number_barred = 'barred:' .. partition
  local token, parts, is_last, wants_counts = ARGV[17], ARGV[18], ARGV[19] == '', ARGV[20] == '1'
  local is_part, is_first = token ~= '', parts == '0'
  local ranked_to, number_lives = 'ranked:' .. partition, 'tickets:' .. partition

  -- A command with any number of values; those of a pair stay together.
  local function write(name, key, values)
    for i = 1, #values, 2 * CHUNK do
      call(name, key, unpack(values, i, math.min(i + 2 * CHUNK - 1, #values)))
    end
  end

  -- What votes do to the counts, and to their voters' key; nil if that is corrupt.
  local function read_votes(key, voters, digits)
    local count, moved, set, gone = read('HLEN', key), {0, 0, 0, 0, 0}, {}, {}
    if not count then return end
    local sets, is_long = 0, count <= LISTED and count + #digits > LISTED
    if is_long then sets, set[1], set[2] = 2, '', WIDE end
    for from = 1, #digits, CHUNK do
      local n = math.min(#digits + 1 - from, CHUNK)
      local fields = {struct.unpack(VOTER:rep(n), voters, (from - 1) * VOTER_SIZE + 1)}
      local codes = {digits:byte(from, from + n - 1)}
      local before = count > 0 and call('HMGET', key, unpack(fields, 1, n)) or {}
      for i = 1, n do
        local was, is = RATING[before[i]], codes[i] - ZERO
        if before[i] and not was then return end
        if was then moved[was] = moved[was] - 1 end
        if is > 0 then moved[is] = moved[is] + 1 end
        if is > 0 and is ~= was then
          set[sets + 1], set[sets + 2], sets = fields[i], DIGIT[is], sets + 2
        elseif was and is == 0 then
          gone[#gone + 1] = fields[i]
        end
      end
    end
    if is_long then set[1] = set[3] end -- which is set again, to its own value
    return {key = key, count = count, moved = moved, set = set[1] and set or {}, gone = gone}
  end

  -- The same of votes whose voters have no rating of the talk yet.
  local function take_new_votes(key, votes, sums)
    local count = read('HLEN', key)
    return count and {key = key, count = count, moved = {sums:match('^(%d+),(%d+),(%d+),(%d+),(%d+)$')}, new = votes}
  end

  -- False if some voter has had a rating.
  local function write_new_votes(ballot)
    local votes, n, added = ballot.new, #ballot.new / NEW_SIZE, 0
    if ballot.count <= LISTED and ballot.count + n > LISTED then
      added = call('HSET', ballot.key, votes:sub(1, VOTER_SIZE), WIDE)
    end
    for from = 1, n, CHUNK do
      local some = math.min(CHUNK, n + 1 - from)
      local pairs = {struct.unpack(NEW:rep(some), votes, (from - 1) * NEW_SIZE + 1)}
      added = added + call('HSET', ballot.key, unpack(pairs, 1, 2 * some))
    end
    return added == n
  end

  local seen = read('HMGET', log, checkpoint, 'generation', last, counted, voters_to, number_barred,
                    'ranking', 'ranked', ranked_to, number_lives, 'claim', 'swept')
  if not seen or seen[1] ~= ARGV[2] or (seen[3] or '') ~= ARGV[9] then return 'conflict' end
  if is_first and seen[2] ~= ARGV[5] then return 'conflict' end
  if not is_first and (seen[2] or seen[11] ~= token or seen[12] ~= parts) then return 'conflict' end

  local uses, voted, time = tonumber(ARGV[8]), tonumber(ARGV[10]), tonumber(ARGV[6])
  local talks, bars = #KEYS - FIXED - voted, ARGV[12]
  local lives, forgotten, windows = tonumber(ARGV[14]), ARGV[15], ARGV[16]
  local knows_voters = seen[5] == ARGV[2] or ARGV[2] == '0'
  local kept, expiring = read('HLEN', keys), read('ZCARD', expiry)
  local counted_at, count = (seen[4] or ''):match('^(%d+):(%d+)$')
  if not kept or kept ~= expiring or (counted_at == ARGV[2] and count ~= tostring(kept)) then
    return 'corrupt'
  end
  if (voted > 0 or bars ~= '' or ARGV[13] ~= '') and not knows_voters then return 'corrupt' end
  if (seen[6] or '0') ~= ARGV[11] then return 'corrupt' end
  if (bars ~= '' or ARGV[11] ~= '0') and read('HLEN', barred) ~= tonumber(ARGV[11]) then return 'corrupt' end
  local lives_at, number = (seen[10] or ''):match('^(%d+):(%d+)$')
  if (number or '0') ~= ARGV[14] or (lives > 0 and lives_at ~= ARGV[2]) then return 'corrupt' end
  if windows ~= '' and read('HLEN', tickets) ~= lives then return 'corrupt' end

  local ballots = {} -- of the talks that have votes
  for i = 1, voted do
    local at = #ARGV - 3 * voted + 3 * i
    local ballot = (is_part and take_new_votes or read_votes)(KEYS[FIXED + talks + i], ARGV[at - 1], ARGV[at])
    if not ballot then return 'corrupt' end
    ballots[tonumber(ARGV[at - 2])] = ballot
  end

  local prior = read_prior(seen[7]) -- nil: talks are not ranked
  local members = prior and read('ZCARD', TOP)
  local is_ranked = prior and members == tonumber(seen[8] or '') and
                    (seen[9] == ARGV[2] or ARGV[9] == '')
  local places, gone = {}, {} -- of ratings:top: scores and talks; talks without ratings

  local function rank(talk, counts)
    local all = counts[1] + counts[2] + counts[3] + counts[4] + counts[5]
    if all == 0 then
      gone[#gone + 1] = talk
    else
      places[#places + 1], places[#places + 2] = score(prior, counts), talk
    end
  end

  local sums, expired, replied = {}, {}, {'applied'}
  for k = 1, talks do
    local counts = read('HMGET', KEYS[FIXED + k], '1', '2', '3', '4', '5', 'anonymous')
    if not counts then return 'corrupt' end
    local ballot, sum, total, more = ballots[k], {}, 0, 0
    for v = 1, 6 do
      local n = counts[v]
      if n and (#n > 15 or n:find('%D') or n == '') then return 'corrupt' end
      counts[v] = n and tonumber(n)
    end
    for v = 1, 5 do
      local n, added = counts[v] or 0, tonumber(ARGV[HEAD + (k - 1) * 5 + v])
      local becomes = n + added + (ballot and ballot.moved[v] or 0)
      total, more = total + n, more + added
      if becomes < 0 then return 'corrupt' end
      if becomes ~= n then sum[#sum + 1], sum[#sum + 2] = DIGIT[v], string.format('%.0f', becomes) end
      counts[v] = becomes
    end
    if ballot or counts[6] then
      local anonymous = counts[6] or total
      if anonymous > total or (ballot and anonymous + ballot.count ~= total) then return 'corrupt' end
      if not counts[6] or more > 0 then
        sum[#sum + 1], sum[#sum + 2] = 'anonymous', string.format('%.0f', anonymous + more)
      end
    end
    sums[k] = sum
    if wants_counts then replied[k + 1] = struct.pack(COUNTS, unpack(counts, 1, 5)) end
    if prior then rank(KEYS[FIXED + k]:sub(#TALK + 1), counts) end
  end
  if kept > 0 and is_last then
    expired = call('ZRANGEBYSCORE', expiry, '-inf', time - GRACE, 'LIMIT', 0, 2 * uses + 16)
  end

  -- What is about to write is tried without effect: a denied command stops the script here. First the one
  -- that a full server refuses: to a script that has called any other command that writes, it refuses nothing.
  call('HSET', log, checkpoint, ARGV[2])
  if uses > 0 or #expired > 0 then
    call('ZADD', expiry, 'XX', 0, '')
    call('HDEL', keys, '')
    call('ZREM', expiry, '')
  end
  if voted > 0 then call('HDEL', KEYS[FIXED + talks + 1], '') end
  if bars ~= '' then call('HDEL', barred, '') end
  if windows ~= '' then call('HDEL', tickets, '') end
  if is_part then call('HDEL', log, '') end
  if prior then
    if not members then call('UNLINK', TOP) end
    call('ZADD', TOP, 'XX', 0, '')
    call('ZREM', TOP, '')
  end

  call('HSET', log, checkpoint, 'applying')
  for k = 1, talks do
    if #sums[k] > 0 then call('HSET', KEYS[FIXED + k], unpack(sums[k])) end
  end
  for _, ballot in pairs(ballots) do
    if is_part then
      if not write_new_votes(ballot) then return 'corrupt' end
    else
      write('HSET', ballot.key, ballot.set)
      write('HDEL', ballot.key, ballot.gone)
    end
  end
  write('ZADD', TOP, places)
  write('ZREM', TOP, gone)
  for _, field in ipairs(expired) do
    call('HDEL', keys, field)
    call('ZREM', expiry, field)
  end
  for u = 1, uses do
    local at = HEAD + talks * 5 + (u - 1) * 3
    call('HSET', keys, ARGV[at + 1], ARGV[at + 2])
    call('ZADD', expiry, ARGV[at + 3], ARGV[at + 1])
  end
  for at = 1, #bars, BAR + 1 do
    local voter, is = bars:sub(at, at + BAR - 1), bars:sub(at + BAR, at + BAR)
    if is == '1' then call('HSET', barred, voter, '1') else call('HDEL', barred, voter) end
  end
  for at = 1, #forgotten, LIFE do
    lives = lives - call('HDEL', tickets, forgotten:sub(at, at + LIFE - 1))
  end
  for at = 1, #windows, LIFE + WINDOW do
    local window = at + LIFE
    lives = lives + call('HSET', tickets, windows:sub(at, window - 1), windows:sub(window, window + WINDOW - 1))
  end
  if not is_last then
    call('HSET', log, checkpoint, ARGV[2], 'claim', token, 'swept', parts + 1)
    if prior then call('HSET', log, 'ranked', call('ZCARD', TOP)) end
    if prior and not is_ranked then call('HSET', log, 'rerank', ':0') end
    if is_first then call('HDEL', log, 'generation') end
    return 'applied'
  end
  local after = {checkpoint, ARGV[3], last, ARGV[4], 'time:' .. partition, ARGV[6],
                 counted, ARGV[3] .. ':' .. call('HLEN', keys), number_lives, ARGV[3] .. ':' .. lives}
  if knows_voters then
    after[#after + 1], after[#after + 2] = voters_to, ARGV[3]
  end
  if bars ~= '' then
    after[#after + 1], after[#after + 2] = number_barred, call('HLEN', barred)
  end
  if prior then
    after[#after + 1], after[#after + 2] = 'ranked', call('ZCARD', TOP)
    after[#after + 1], after[#after + 2] = ranked_to, ARGV[3]
    if not is_ranked then
      after[#after + 1], after[#after + 2] = 'rerank', ':0'
    end
  end
  if ARGV[13] ~= '' then
    after[#after + 1], after[#after + 2] = 'electorate', ARGV[13]
  end
  if ARGV[7] ~= '' then
    after[#after + 1], after[#after + 2] = 'first:' .. partition, ARGV[7]
  end
  if is_part then
    after[#after + 1], after[#after + 2] = 'generation', ARGV[5]
  end
  call('HSET', log, unpack(after))
  if is_part then call('HDEL', log, 'claim', 'swept') end
  return table.concat(replied)
end)
