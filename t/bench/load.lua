-- What wrk sends: -- CASE TALKS EXPONENT ETAGS
-- CASE is root, hot (one talk), zipf, revalidate (with If-None-Match), post or mix (90% of zipf, 10% of post), the
-- talks of the last four drawn by Zipf's law. ETAGS is a file with a line "TALK ETAG" for each talk.
-- Requests are formatted and drawn once: while it measures, wrk only walks through a table.
local POOL = 65536
local SHARE = { zipf = 1, revalidate = 1, post = 0, mix = 0.9 } -- of GET

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

local function read_etags(path)
  local etags = {}
  for line in io.lines(path) do
    local talk, etag = line:match("^(%S+) (%S+)$")
    etags[talk] = etag
  end
  return etags
end

local function get(talk, etags)
  return wrk.format("GET", "/ratings?talkId=" .. talk, etags and { ["If-None-Match"] = etags[talk] })
end

local function post(talk, value)
  return wrk.format("POST", "/ratings", { ["Content-Type"] = "application/json" },
    string.format('{"talkId":"%s","value":%d}', talk, value))
end

posts = 0 -- that this thread began

local function walk(pool, is_post)
  local i = 0
  function request()
    i = i % POOL + 1
    posts = posts + is_post[i]
    return pool[i]
  end
end

function init(args)
  local case, talks = args[1], tonumber(args[2])
  if not SHARE[case] then -- always the same: wrk needs no Lua for a request
    wrk.path = case == "root" and "/" or "/ratings?talkId=talk-00001"
    return
  end
  math.randomseed(20261123)
  local draw, etags = zipf(talks, tonumber(args[3])), case == "revalidate" and read_etags(args[4])
  local pool, is_post, made = {}, {}, {}
  for i = 1, POOL do
    local talk, reads, value = string.format("talk-%05d", draw()), math.random() < SHARE[case], math.random(5)
    local key = reads and talk or talk .. value
    made[key] = made[key] or (reads and get(talk, etags) or post(talk, value))
    pool[i], is_post[i] = made[key], reads and 0 or 1
  end
  walk(pool, is_post)
end

local threads = {}
function setup(thread) table.insert(threads, thread) end

function done(summary, latency)
  local e, begun = summary.errors, 0
  for _, thread in ipairs(threads) do begun = begun + thread:get("posts") end
  io.write(string.format('RESULT {"requests":%d,"seconds":%.6f,"bytes":%d,"p50_ms":%.3f,"p99_ms":%.3f,"posts":%d,'
    .. '"bad_status":%d,"connect":%d,"read":%d,"write":%d,"timeout":%d}\n',
    summary.requests, summary.duration / 1e6, summary.bytes, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    begun, e.status, e.connect, e.read, e.write, e.timeout))
end
