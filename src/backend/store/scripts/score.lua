-- By what talks are ranked (a line "-- include score.lua" stands for this text).
--
-- read_prior(TEXT)      five numbers of "1,1,1,1,1"; nil if that is no prior
-- score(PRIOR, COUNTS)  the score of a talk, as ZADD takes it, so that a reader gets the same double
--
-- The formula is that of src/core/ranking.h, and so is each operation, in the same order.
local function read_prior(text)
  local prior = {(text or ''):match('^(%d+),(%d+),(%d+),(%d+),(%d+)$')}
  return prior[1] and prior
end

local function score(prior, counts)
  local ratings, all, sum, squares = {}, 0, 0, 0
  for v = 1, 5 do
    ratings[v] = prior[v] + counts[v]
    all = all + ratings[v]
    sum = sum + v * ratings[v]
  end
  local mean = sum / all
  for v = 1, 5 do
    local off = v - mean
    squares = squares + ratings[v] * off * off
  end
  return string.format('%.17g', mean - 1.65 * math.sqrt(squares / all / (all + 1)))
end
