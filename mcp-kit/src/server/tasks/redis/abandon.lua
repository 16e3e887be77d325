-- Ends a task whose process has died, unless it has ended meanwhile or its process
-- lives after all. Returns the state of the task from now on.
-- KEYS: the task. ARGV: the beginning of the names of leases; the state that ends it.
local task = redis.call('HMGET', KEYS[1], 'process', 'ended', 'state', 'unfinished', 'finished')
if not task[3] then
  return false
end
if task[2] == '1' or redis.call('EXISTS', ARGV[1] .. task[1]) == 1 then
  return task[3]
end
redis.call('HSET', KEYS[1], 'process', '', 'ended', '1', 'state', ARGV[2])
-- It may be forgotten from now on, like other finished tasks of its caller.
local unfinished, finished = task[4], task[5]
local expires = unfinished and redis.call('ZSCORE', unfinished, KEYS[1])
if expires then
  local last = math.max(redis.call('PTTL', unfinished), redis.call('PTTL', finished))
  redis.call('ZREM', unfinished, KEYS[1])
  redis.call('ZADD', finished, expires, KEYS[1])
  redis.call('PEXPIRE', finished, last)
end
return ARGV[2]
