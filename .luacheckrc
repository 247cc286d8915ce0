-- luacheck (make lint-lua)
std = "lua51"
max_line_length = 120

-- What Redis gives a script (https://redis.io/docs/latest/develop/interact/programmability/lua-api/), which may set no
-- global, and what scripts/prelude.lua and scripts/score.lua define for those that include them.
local redis = { std = "lua51", read_globals = { "redis", "struct", "KEYS", "ARGV", "call", "read", "run", "read_prior", "score" } }
files["src/backend/store/scripts"] = redis
files["src/ctl/scripts"] = redis
files["**/prelude.lua"] = { ignore = { "211/call", "211/read", "211/run", "431" } }
files["**/score.lua"] = { ignore = { "211/read_prior", "211/score", "431" } }

-- What wrk calls and reads
files["t/bench/vote.lua"] = {
  std = "luajit",
  globals = { "wrk", "init", "request", "response", "setup", "done", "answers" },
  max_line_length = 160,
}
files["t/bench/load.lua"] = {
  std = "luajit",
  globals = { "wrk", "init", "request", "setup", "done", "posts", "refused" },
  unused_args = false,
  max_line_length = 160,
}
