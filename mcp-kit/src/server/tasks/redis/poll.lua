-- Renews the lease of a process, removes the messages that it has received, and
-- reads those that follow. It may run twice for one request.
-- KEYS: the lease; the inbox; its state. ARGV: for how many milliseconds the lease
-- holds; the number of the last message that was received; the most messages.
redis.call('SET', KEYS[1], '1', 'PX', ARGV[1])
local inbox, state = KEYS[2], KEYS[3]
local received = tonumber(ARGV[2])
local head = redis.call('LINDEX', inbox, 0)
while head do
  local number, message = string.match(head, '^(%d+) (.*)$')
  if tonumber(number) > received then
    break
  end
  local size = #message + 64
  redis.call('LPOP', inbox)
  redis.call('HINCRBY', state, 'bytes', -size)
  local field = 'of:' .. number
  local packed = redis.call('HGET', state, field)
  local of = packed and cmsgpack.unpack(packed) or {owners = {}}
  for _, owner in ipairs(of.owners) do
    redis.call('HINCRBY', state, 'bytes:' .. owner, -size)
    if redis.call('HINCRBY', state, 'messages:' .. owner, -1) <= 0 then
      redis.call('HDEL', state, 'bytes:' .. owner, 'messages:' .. owner)
    end
  end
  redis.call('HDEL', state, field, of.cancelled or field)
  head = redis.call('LINDEX', inbox, 0)
end
return redis.call('LRANGE', inbox, 0, ARGV[3] - 1)
