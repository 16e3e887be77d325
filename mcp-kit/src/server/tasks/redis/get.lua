-- Reads the state of a task, and whether the process that runs it has died: then its
-- lease has run out.
-- KEYS: the task. ARGV: the beginning of the names of leases.
local task = redis.call('HMGET', KEYS[1], 'process', 'ended', 'state')
if not task[3] then
  return false
end
local is_lost = 0
if task[2] == '0' and redis.call('EXISTS', ARGV[1] .. task[1]) == 0 then
  is_lost = 1
end
return {task[3], is_lost}
