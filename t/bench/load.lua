-- What wrk sends: -- CASE TALKS EXPONENT ETAGS
-- CASE is root, hot (one talk), unchanged (one talk, with If-None-Match), list and ranked (lists of talks); zipf, revalidate (with If-None-Match), search (of a
-- talk by its title), post, mix (90% of zipf, 10% of post), vote (post, each of another voter) or varied (all that is about /ratings but vote, and what has to
-- be refused), the talks of these drawn by Zipf's law; or each (one talk after the other). ETAGS is a file with a line "TALK ETAG" for each talk.
-- Requests are formatted and drawn once: while it measures, wrk only walks through a table.
local POOL = 65536
-- Always the same request
local PATHS = {
  root = "/",
  hot = "/ratings?talkId=talk-00001",
  unchanged = "/ratings?talkId=talk-00001",
  list = "/talks?sort=start&limit=20",
  ranked = "/talks?sort=score&include=ratings&limit=100",
}
-- Of each kind, in a hundred
local SHARES = {
  each = { get = 100 },
  zipf = { get = 100 },
  revalidate = { revalidate = 100 },
  post = { post = 100 },
  mix = { get = 90, post = 10 },
  vote = { vote = 100 },
  search = { search = 100 },
  varied = { get = 77, hot = 10, revalidate = 10, post = 1, missing = 1, malformed = 1 },
}

local function zipf(talks, exponent)
  local cumulative, total = {}, 0
  for rank = 1, talks do
    total = total + 1 / rank ^ exponent
    cumulative[rank] = total
  end
  return function()
    local x, low, high = math.random() * total, 1, talks
    while low < high do
      local middle = math.floor((low + high) / 2)
      if cumulative[middle] < x then low = middle + 1 else high = middle end
    end
    return low
  end
end

local function in_turn(talks)
  local last = 0
  return function()
    last = last % talks + 1
    return last
  end
end

local function read_etags(path)
  local etags = {}
  for line in io.lines(path) do
    local talk, etag = line:match("^(%S+) (%S+)$")
    etags[talk] = etag
  end
  return etags
end

local function post(body, kind, voter)
  return wrk.format("POST", "/ratings", { ["Content-Type"] = kind or "application/json", ["X-Voter"] = voter }, body)
end

local function get(talk, etag)
  return wrk.format("GET", "/ratings?talkId=" .. talk, etag and { ["If-None-Match"] = etag })
end

local function rate(talk, value) return post(string.format('{"talkId":"%s","value":%d}', talk, value)) end

-- What is no request of this service
local MALFORMED = {
  function() return wrk.format("GET", "/ratings") end,
  function() return get("%ff") end,
  function(talk) return post('{"talkId":"' .. talk .. '"') end,
  function(talk) return post('{"talkId":"' .. talk .. '","value":6}') end,
  function(talk) return post("talkId=" .. talk, "application/x-www-form-urlencoded") end,
  function(talk) return post(talk, "text/plain") end,
}

-- Makes a request of each kind; value is 1 to 5
local MAKE = {
  get = function(talk) return get(talk) end,
  hot = function() return get("talk-00001") end,
  revalidate = function(talk, value, etags) return get(talk, etags[talk]) end,
  post = rate,
  search = function(talk) return wrk.format("GET", "/talks?limit=20&q=talk+" .. talk:match("0*(%d+)$")) end,
  vote = function(talk, value) return post(string.format('{"talkId":"%s","value":%d}', talk, value), nil, "VOTER") end,
  missing = function(talk, value) return value > 2 and get("no-such-" .. talk) or rate("no-such-" .. talk, value) end,
  malformed = function(talk) return MALFORMED[math.random(#MALFORMED)](talk) end,
}

-- A function that draws a kind
local function kinds(shares)
  local hundred = {}
  for kind, share in pairs(shares) do
    for _ = 1, share do table.insert(hundred, kind) end
  end
  table.sort(hundred) -- pairs has an order of its own each time
  return function() return hundred[math.random(#hundred)] end
end

-- Of a vote: nobody has voted before, in this run of wrk or another
local function walk_votes(pool)
  local first, i = os.time() .. "-" .. tostring({}):match("0x(%x+)"), 0
  for n, text in ipairs(pool) do pool[n] = { text:match("^(.*)VOTER(.*)$") } end
  function request()
    i, posts = i + 1, posts + 1
    local parts = pool[i % POOL + 1]
    return parts[1] .. first .. "-" .. i .. parts[2]
  end
end

posts, refused = 0, 0 -- that this thread began: ratings, and what is to be answered with 400 or more

local function walk(pool, is_post, is_refused)
  local i = 0
  function request()
    i = i % POOL + 1
    posts, refused = posts + is_post[i], refused + is_refused[i]
    return pool[i]
  end
end

function init(args)
  local case, talks = args[1], tonumber(args[2])
  local shares = SHARES[case]
  if not shares then -- always the same: wrk needs no Lua for a request
    wrk.path = PATHS[case]
    if case == "unchanged" then wrk.headers["If-None-Match"] = read_etags(args[4])["talk-00001"] end
    return
  end
  math.randomseed(20261123)
  local draw = case == "each" and in_turn(talks) or zipf(talks, tonumber(args[3]))
  local kind, etags = kinds(shares), shares.revalidate and read_etags(args[4])
  local pool, is_post, is_refused = {}, {}, {}
  for i = 1, POOL do
    local talk, what = string.format("talk-%05d", draw()), kind()
    pool[i] = MAKE[what](talk, math.random(5), etags)
    is_post[i], is_refused[i] = what == "post" and 1 or 0, (what == "missing" or what == "malformed") and 1 or 0
  end
  if case == "vote" then walk_votes(pool) else walk(pool, is_post, is_refused) end
end

local threads = {}
function setup(thread) table.insert(threads, thread) end

function done(summary, latency)
  local e, begun, to_refuse = summary.errors, 0, 0
  for _, thread in ipairs(threads) do begun, to_refuse = begun + thread:get("posts"), to_refuse + thread:get("refused") end
  io.write(string.format('RESULT {"requests":%d,"seconds":%.6f,"bytes":%d,"p50_ms":%.3f,"p99_ms":%.3f,"posts":%d,"refused":%d,'
    .. '"bad_status":%d,"connect":%d,"read":%d,"write":%d,"timeout":%d}\n',
    summary.requests, summary.duration / 1e6, summary.bytes, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    begun, to_refuse, e.status, e.connect, e.read, e.write, e.timeout))
end
