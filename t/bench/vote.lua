-- What wrk sends for t/bench/vote: -- RATINGS VOTERS TALKS
-- So many ratings, each once, by voters who rate one talk after the other; every tenth changes the one of LAG requests before, which
-- no longer is under way then. wrk ends when the last of them is answered, and tells what must be counted.
local ffi = require("ffi")
ffi.cdef("int getpid(void); int kill(int pid, int signal);")

local LAG = 1001
local SIGINT = 2
local SPARE = 50000 -- requests at most that wait for the last answers: an answer that was lost does not come

local ratings, voters, talks
local parts = {} -- of each talk and value: what stands before and after the voter
local counts = {} -- of each talk and value, as they must be
local spare
local looked_at = false -- wrk looks at one request before it begins, and does not send that

-- counts: as text, since wrk crashes where done() gets a table within a table
answers = { sent = 0, spare = 0, visible = 0, later = 0, failed = 0, counts = "" }

local function at(talk, value) return (talk - 1) * 5 + value end

-- How many of the first i ratings are no change
local function first_ones(i) return i - math.max(0, math.floor(i / 10) - math.floor((LAG - 1) / 10)) end

-- Of the i-th rating, from 0 on, that is no change: voter, talk and value
local function first_rating(i)
  local n = first_ones(i)
  local voter = n % voters
  return voter, (voter + math.floor(n / voters)) % talks + 1, i * 7 % 5 + 1
end

local function rating(i)
  if i % 10 ~= 9 or i < LAG then
    local voter, talk, value = first_rating(i)
    counts[at(talk, value)] = counts[at(talk, value)] + 1
    return voter, talk, value
  end
  local voter, talk, old = first_rating(i - LAG)
  local value = old % 5 + 1
  counts[at(talk, old)] = counts[at(talk, old)] - 1
  counts[at(talk, value)] = counts[at(talk, value)] + 1
  return voter, talk, value
end

function init(args)
  ratings, voters, talks = tonumber(args[1]), tonumber(args[2]), tonumber(args[3])
  spare = wrk.format("GET", "/none")
  for talk = 1, talks do
    for value = 1, 5 do
      local text = wrk.format("POST", "/ratings", { ["Content-Type"] = "application/json", ["X-Voter"] = "VOTER" },
        string.format('{"talkId":"talk-%05d","value":%d}', talk, value))
      parts[at(talk, value)] = { text:match("^(.*)VOTER(.*)$") }
      counts[at(talk, value)] = 0
    end
  end
end

function request()
  if not looked_at then
    looked_at = true
    return spare
  end
  if answers.sent == ratings then
    answers.spare = answers.spare + 1
    return spare
  end
  local voter, talk, value = rating(answers.sent)
  local part = parts[at(talk, value)]
  answers.sent = answers.sent + 1
  if answers.sent == ratings then answers.counts = table.concat(counts, ",") end
  return part[1] .. "voter-" .. voter .. part[2]
end

-- A thread that stops does not end wrk, which sleeps for as long as it was given, until it is interrupted.
local function stop()
  wrk.thread:stop()
  ffi.C.kill(ffi.C.getpid(), SIGINT)
end

local KINDS = { [200] = "visible", [202] = "later", [404] = "none" }

function response(status)
  local kind = KINDS[status] or "failed"
  if kind ~= "none" then answers[kind] = answers[kind] + 1 end
  if answers.visible + answers.later + answers.failed == ratings or answers.spare > SPARE then stop() end
end

local threads = {}
function setup(thread) table.insert(threads, thread) end

function done(summary, latency)
  local found, e = threads[1]:get("answers"), summary.errors
  io.write(string.format('RESULT {"seconds":%.6f,"p50_ms":%.3f,"p99_ms":%.3f,"longest_ms":%.3f,"sent":%d,"visible":%d,"later":%d,"failed":%d,'
    .. '"connect":%d,"read":%d,"write":%d,"timeout":%d,"counts":[%s]}\n',
    summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3, found.sent, found.visible, found.later, found.failed,
    e.connect, e.read, e.write, e.timeout, found.counts))
end
