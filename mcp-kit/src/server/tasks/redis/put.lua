-- Writes the state of a task, within the room of its caller.
-- KEYS: the task; the caller's unfinished and finished tasks, by the time at which
-- they expire; the bytes of each of them; the lease of the process.
-- ARGV: the process; whether the task has ended; its state; for how many
-- milliseconds it is kept; those of the lease; the most tasks; the most bytes.
local task, unfinished, finished, sizes, lease = unpack(KEYS)
local process, has_ended, state = ARGV[1], ARGV[2], ARGV[3]
local keep, lease_time = tonumber(ARGV[4]), ARGV[5]
local most_tasks, most_bytes = tonumber(ARGV[6]), tonumber(ARGV[7])

local before = redis.call('HMGET', task, 'process', 'ended')
if before[2] == '1' and before[1] ~= process then
  return 'ended'
end

local function forget(index, key)
  if redis.call('ZREM', index, key) == 1 then
    local bytes = tonumber(redis.call('HGET', sizes, key) or 0)
    redis.call('HDEL', sizes, key)
    redis.call('HINCRBY', sizes, 'all', -bytes)
  end
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for _, index in ipairs({unfinished, finished}) do
  for _, key in ipairs(redis.call('ZRANGEBYSCORE', index, '-inf', now)) do
    forget(index, key)
  end
end

-- What there would be with this state. The one before is kept if there is no room.
local size = #state + 512
local size_before = tonumber(redis.call('HGET', sizes, task) or 0)
local tasks = redis.call('ZCARD', unfinished) + redis.call('ZCARD', finished)
if size_before == 0 then
  tasks = tasks + 1
end
local bytes = tonumber(redis.call('HGET', sizes, 'all') or 0) + size - size_before
local forgotten = {}
if tasks > most_tasks or bytes > most_bytes then
  for _, key in ipairs(redis.call('ZRANGE', finished, 0, -1)) do
    if key ~= task then
      forgotten[#forgotten + 1] = key
      tasks = tasks - 1
      bytes = bytes - tonumber(redis.call('HGET', sizes, key) or 0)
      if tasks <= most_tasks and bytes <= most_bytes then
        break
      end
    end
  end
  if tasks > most_tasks or bytes > most_bytes then
    return 'full'
  end
end
for _, key in ipairs(forgotten) do
  forget(finished, key)
  redis.call('DEL', key)
end

forget(unfinished, task)
forget(finished, task)
redis.call('HSET', task, 'process', process, 'ended', has_ended, 'state', state,
  'unfinished', unfinished, 'finished', finished)
redis.call('PEXPIRE', task, keep)
local index = unfinished
if has_ended == '1' then
  index = finished
else
  redis.call('SET', lease, '1', 'PX', lease_time)
end
redis.call('ZADD', index, now + keep, task)
redis.call('HSET', sizes, task, size)
redis.call('HINCRBY', sizes, 'all', size)
-- They expire together, with the last of the tasks: if an index expired first, the
-- bytes of its tasks would count for as long as the others last.
local last = keep
for _, key in ipairs({unfinished, finished, sizes}) do
  last = math.max(last, redis.call('PTTL', key))
end
for _, key in ipairs({unfinished, finished, sizes}) do
  redis.call('PEXPIRE', key, last)
end
return 'written'
