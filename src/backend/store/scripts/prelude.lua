-- What the scripts that write begin with (a line "-- include prelude.lua" stands for this text).
--
-- call(COMMAND, ...)  as redis.call, but an error names its command
-- read(COMMAND, ...)  the same, but nil if the key is of another type
-- run(SCRIPT)         the reply of the function SCRIPT; if a command within it fails, the error in
--                     Redis's own words, with that command after them, in parentheses
--
-- The name tells the administrator which command an ACL denies; store_refusal.c reads it there.
-- Redis 6.2 puts the place in the script before its words, which goes.
local function call(name, ...)
  local reply = redis.pcall(name, ...)
  if type(reply) == 'table' and reply.err then error({name, reply.err}, 0) end
  return reply
end

local function read(name, ...)
  local reply = redis.pcall(name, ...)
  if type(reply) ~= 'table' or not reply.err then return reply end
  if not reply.err:find('WRONGTYPE', 1, true) then error({name, reply.err}, 0) end
end

local function run(script)
  local ok, reply = pcall(script)
  if ok then return reply end
  if type(reply) ~= 'table' then error(reply, 0) end
  local words = reply[2]:gsub('^@user_script: %d+: %-?', '')
  return redis.error_reply(words .. ' (' .. reply[1] .. ')')
end
