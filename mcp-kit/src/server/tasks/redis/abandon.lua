-- Ends a task whose process has died, unless it has ended meanwhile or its process
-- lives after all. Returns the state of the task from now on.
-- KEYS: the task. ARGV: the beginning of the names of leases; the state that ends it.
local task = redis.call('HMGET', KEYS[1], 'process', 'ended', 'state')
if not task[3] then
  return false
end
if task[2] == '1' or redis.call('EXISTS', ARGV[1] .. task[1]) == 1 then
  return task[3]
end
redis.call('HSET', KEYS[1], 'process', '', 'ended', '1', 'state', ARGV[2])
return ARGV[2]
