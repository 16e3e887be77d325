-- Sends a message to the process that runs a task, if it runs.
-- KEYS: the task. ARGV: the beginnings of the names of leases, of inboxes, and of
-- their states; the message; the most bytes of an inbox; for how many milliseconds
-- the inbox is kept.
local task = redis.call('HMGET', KEYS[1], 'process', 'ended')
local process = task[1]
if not process or task[2] == '1' or redis.call('EXISTS', ARGV[1] .. process) == 0 then
  return 'gone'
end
local inbox, state, message = ARGV[2] .. process, ARGV[3] .. process, ARGV[4]
local bytes = tonumber(redis.call('HGET', state, 'bytes') or 0) + #message + 64
if bytes > tonumber(ARGV[5]) then
  return 'full'
end
-- The numbers only grow, also after the inbox was forgotten.
local time = redis.call('TIME')
local number = time[1] * 1000000 + time[2]
local last = tonumber(redis.call('HGET', state, 'last') or 0)
number = string.format('%.0f', math.max(number, last + 1))
redis.call('RPUSH', inbox, number .. ' ' .. message)
redis.call('HSET', state, 'bytes', bytes, 'last', number)
redis.call('PEXPIRE', inbox, ARGV[6])
redis.call('PEXPIRE', state, ARGV[6])
return 'sent'
