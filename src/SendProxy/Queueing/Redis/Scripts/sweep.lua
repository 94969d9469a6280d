-- Removes what was finished long enough ago, and outlived names; lets go on what waited for a seal key that the caller has. Needs store.lua.
-- ARGV  4 retention in ms, 5 retention of dead and unknown items, 6 most that is removed, 7 how many seal keys; then those
-- Reply { how many were removed, when there is more to remove or '', items, bytes, settled items, seq,
--         for each queue: { name, oldest arrival or '', those that do not open, counts by state }, wakes by queue, owners of leases }
begin()
local removed, next, max = 0, nil, tonumber(ARGV[6])
local queues = call('SMEMBERS', P .. ':queues')
local function later(time) next = math.min(next or time, time) end

local function removeOf(state, retention)
  for _, queue in ipairs(queues) do
    local ended = P .. ':f:' .. queue .. ':' .. state
    for _, place in ipairs(call('ZRANGEBYSCORE', ended, '-inf', text(now - retention), 'LIMIT', 0, max - removed)) do
      local item = load(queue, string.sub(place, 9))
      if item then
        remove(item)
        removed = removed + 1
      else
        call('ZREM', ended, place)
      end
    end
    local first = call('ZRANGE', ended, 0, 0, 'WITHSCORES')
    if first[1] then
      later(first[2] + retention)
    end
  end
end
for _, state in ipairs(SETTLED) do
  removeOf(state, ARGV[4])
end
removeOf(DEAD, ARGV[5])
removeOf(UNKNOWN, ARGV[5])

for _, scope in ipairs(call('SMEMBERS', P .. ':scopes')) do
  local names, order = P .. ':n:' .. scope, P .. ':d:' .. scope
  while removed < max do
    local oldest = call('LINDEX', order, 0)
    if not oldest then
      break
    end
    local name = string.sub(oldest, 1, 16)
    local had = call('HGET', names, name)
    local isIts = had and string.sub(had, 25) == string.sub(oldest, 17)
    if isIts and struct.unpack('>I8', had) > now then
      later(struct.unpack('>I8', had))
      break
    end
    call('LPOP', order)
    if isIts then
      call('HDEL', names, name)
      removed = removed + 1
    end
  end
end

for i = 8, 7 + ARGV[7] do
  for _, member in ipairs(call('ZRANGE', P .. ':m:' .. ARGV[i], 0, 99)) do
    local item = load(string.sub(member, 1, -18), string.sub(member, -16))
    call('ZREM', P .. ':m:' .. ARGV[i], member)
    if item and item.state == HELD then
      move(item, HELD, item.waiting)
      call('HSET', item.hash, 's', item.waiting)
      call('HDEL', item.hash, 'r')
      addExpiry(item)
      addReady(item)
    end
  end
end

local counted = {}
for i, queue in ipairs(queues) do
  local counts, oldest = {}, nil
  for state = QUEUED, DISCARDED do
    local key = P .. ':s:' .. queue .. ':' .. state
    counts[state + 1] = call('ZCARD', key)
    local first = state <= HELD and call('ZRANGE', key, 0, 0)[1]
    local created = first and call('HGET', P .. ':i:' .. queue .. ':' .. first, 'a')
    oldest = created and math.min(oldest or tonumber(created), tonumber(created)) or oldest
  end
  local unopenable = counts[HELD + 1]
  if call('EXISTS', P .. ':h:' .. queue) == 1 then
    for _, number in ipairs(call('SMEMBERS', P .. ':q:' .. queue)) do
      if isHeld(lotOf(number)) then
        local waiting = call('HMGET', P .. ':t:' .. number, QUEUED, RETRYING)
        local queued, retrying = tonumber(waiting[1] or 0), tonumber(waiting[2] or 0)
        counts[QUEUED + 1], counts[RETRYING + 1] = counts[QUEUED + 1] - queued, counts[RETRYING + 1] - retrying
        counts[HELD + 1] = counts[HELD + 1] + queued + retrying
      end
    end
  end
  counted[i] = { queue, oldest and text(oldest) or '', unopenable, counts }
end
return reply(removed, next and text(next) or '', text(total.items), text(total.bytes), text(total.settled), text(seq), counted,
  call('HGETALL', P .. ':ver'), call('SMEMBERS', P .. ':owners'))
