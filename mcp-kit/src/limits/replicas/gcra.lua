-- The generic cell rate algorithm, as limiter/table.rs has it.
-- KEYS[1] holds when its budget is whole again, in microseconds of this
-- server's clock. ARGV: what one costs, and what all but one cost.
-- Takes one and answers 0, or answers how many microseconds to wait.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local each = tonumber(ARGV[1])
local burst = tonumber(ARGV[2])
local whole_at = tonumber(redis.call('GET', KEYS[1]) or 0)
-- Never further ahead than a used up budget: a clock that is set back heals.
whole_at = math.min(math.max(whole_at, now), now + burst + each)
local wait = whole_at - now - burst
if wait > 0 then
  return math.ceil(wait)
end
whole_at = whole_at + each
local lifetime = math.max(math.ceil((whole_at - now) / 1000), 1)
redis.call('SET', KEYS[1], string.format('%.0f', whole_at), 'PX', lifetime)
return 0
