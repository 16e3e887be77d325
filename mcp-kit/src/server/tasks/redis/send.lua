-- Sends a message to the process that runs a task, if it runs and has room for it: in
-- total, for the caller of the task, and for the task. A caller or task without a
-- message may have one of any size; a cancellation is exempt from their bytes, not from
-- the number of their messages.
-- KEYS: the task. ARGV: the beginnings of the names of leases, of inboxes, and of
-- their states; the message; for how many milliseconds the inbox is kept; the most
-- bytes of an inbox; the most bytes and messages of a caller, and of a task; whether it is a
-- cancellation.
local task = redis.call('HMGET', KEYS[1], 'process', 'ended', 'unfinished')
local process = task[1]
if not process or task[2] == '1' or redis.call('EXISTS', ARGV[1] .. process) == 0 then
  return 'gone'
end
local inbox, state, message = ARGV[2] .. process, ARGV[3] .. process, ARGV[4]
local size = #message + 64
local function has_room(owner, most_bytes, most_messages)
  local messages = tonumber(redis.call('HGET', state, 'messages:' .. owner) or 0)
  local bytes = tonumber(redis.call('HGET', state, 'bytes:' .. owner) or 0)
  local has_bytes = ARGV[11] == '1' or bytes + size <= tonumber(most_bytes)
  return messages == 0 or (messages < tonumber(most_messages) and has_bytes)
end
-- The index of a caller's tasks has a name of its own for each caller.
local caller = task[3] or ''
local bytes = tonumber(redis.call('HGET', state, 'bytes') or 0) + size
if bytes > tonumber(ARGV[6])
  or not has_room(caller, ARGV[7], ARGV[8])
  or not has_room(KEYS[1], ARGV[9], ARGV[10]) then
  return 'full'
end
-- The numbers only grow, also after the inbox was forgotten.
local time = redis.call('TIME')
local number = time[1] * 1000000 + time[2]
local last = tonumber(redis.call('HGET', state, 'last') or 0)
number = string.format('%.0f', math.max(number, last + 1))
redis.call('RPUSH', inbox, number .. ' ' .. message)
local owners = {caller, KEYS[1]}
redis.call('HSET', state, 'bytes', bytes, 'last', number, 'of:' .. number, cmsgpack.pack(owners))
for _, owner in ipairs(owners) do
  redis.call('HINCRBY', state, 'messages:' .. owner, 1)
  redis.call('HINCRBY', state, 'bytes:' .. owner, size)
end
redis.call('PEXPIRE', inbox, ARGV[5])
redis.call('PEXPIRE', state, ARGV[5])
return 'sent'
