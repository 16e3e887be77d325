-- Sends a message to the process that runs a task, if it runs and has room for it: in
-- total, for the caller of the task, and for the task. A caller or task without a
-- message may have one of any size. A cancellation always has room: an inbox has one of
-- each task at most.
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
local is_cancellation = ARGV[11] == '1'
local cancelled = 'cancelled:' .. KEYS[1]
if is_cancellation and redis.call('HEXISTS', state, cancelled) == 1 then
  return 'sent'
end
local function has_room(owner, most_bytes, most_messages)
  local messages = tonumber(redis.call('HGET', state, 'messages:' .. owner) or 0)
  local bytes = tonumber(redis.call('HGET', state, 'bytes:' .. owner) or 0)
  return messages == 0
    or (messages < tonumber(most_messages) and bytes + size <= tonumber(most_bytes))
end
-- The index of a caller's tasks has a name of its own for each caller.
local caller = task[3] or ''
local bytes = tonumber(redis.call('HGET', state, 'bytes') or 0) + size
local fits = bytes <= tonumber(ARGV[6])
  and has_room(caller, ARGV[7], ARGV[8])
  and has_room(KEYS[1], ARGV[9], ARGV[10])
if not fits and not is_cancellation then
  return 'full'
end
-- The numbers only grow, also after the inbox was forgotten.
local time = redis.call('TIME')
local number = time[1] * 1000000 + time[2]
local last = tonumber(redis.call('HGET', state, 'last') or 0)
number = string.format('%.0f', math.max(number, last + 1))
redis.call('RPUSH', inbox, number .. ' ' .. message)
local owners = {caller, KEYS[1]}
local of = {owners = owners}
if is_cancellation then
  of.cancelled = cancelled
  redis.call('HSET', state, cancelled, 1)
end
redis.call('HSET', state, 'bytes', bytes, 'last', number, 'of:' .. number, cmsgpack.pack(of))
for _, owner in ipairs(owners) do
  redis.call('HINCRBY', state, 'messages:' .. owner, 1)
  redis.call('HINCRBY', state, 'bytes:' .. owner, size)
end
redis.call('PEXPIRE', inbox, ARGV[5])
redis.call('PEXPIRE', state, ARGV[5])
return 'sent'
