-- Storing and removing items, for the operations that do; it stands behind queue.lua.
local WIDTH = 20

local function remove(item)
  call('UNLINK', item.hash, P .. ':b:' .. item.queue .. ':' .. item.id, P .. ':a:' .. item.queue .. ':' .. item.id)
  call('ZREM', P .. ':f:' .. item.queue .. ':' .. item.state, item.place)
  move(item, item.state, nil)
  local t = P .. ':t:' .. item.lot.number
  for _, count in ipairs(call('HMGET', t, '0', '1', '2', '3', '4', '5', '6', '7', '8')) do
    if count and count ~= '0' then
      return
    end
  end
  local lot = item.lot
  call('UNLINK', t)
  call('HDEL', P .. ':lots', lot.queue .. '\0' .. lot.route .. '\0' .. lot.group)
  call('SREM', P .. ':q:' .. lot.queue, lot.number)
  call('SREM', P .. ':g:' .. lot.queue .. ':' .. lot.group, lot.number)
  lots[lot.number], held[lot.number] = nil, nil
end

-- The settled item that ended first is given up before its time.
local function evict()
  for _, state in ipairs(SETTLED) do
    local oldest, queue
    for _, name in ipairs(call('SMEMBERS', P .. ':queues')) do
      local first = call('ZRANGE', P .. ':f:' .. name .. ':' .. state, 0, 0, 'WITHSCORES')
      if first[1] and (not oldest or tonumber(first[2]) < tonumber(oldest[2]) or (first[2] == oldest[2] and struct.unpack('>I8', first[1]) < struct.unpack('>I8', oldest[1]))) then
        oldest, queue = first, name
      end
    end
    if oldest then
      local item = load(queue, string.sub(oldest[1], 9))
      if item then
        remove(item)
      else
        call('ZREM', P .. ':f:' .. queue .. ':' .. state, oldest[1])
      end
      return true
    end
  end
  return false
end

-- Which bound has no room for so much, even without all that is settled; nil where there is room.
local function fullOf(items, bytes, maxItems, maxBytes)
  return total.items - total.settled + items > maxItems and 'items'
    or total.bytes - total.settledBytes + bytes > maxBytes and 'bytes' or nil
end

local function makeRoom(items, bytes, maxItems, maxBytes)
  while (total.items + items > maxItems or total.bytes + bytes > maxBytes) and evict() do
  end
end

-- One of the WIDTH arguments from which an item is made.
local function newItem(at)
  return {
    queue = ARGV[at], id = ARGV[at + 1], route = ARGV[at + 2], group = ARGV[at + 3], key = given(ARGV[at + 4]), lane = ARGV[at + 5], version = ARGV[at + 6],
    due = theirs(ARGV[at + 7]) or text(now), deadline = given(ARGV[at + 8]), expiresAt = theirs(ARGV[at + 9]), idempotency = given(ARGV[at + 10]),
    fingerprint = given(ARGV[at + 11]), seal = ARGV[at + 12], payload = ARGV[at + 13], scope = given(ARGV[at + 14]), name = ARGV[at + 15],
    window = ARGV[at + 16], maxIds = ARGV[at + 17], bytes = tonumber(ARGV[at + 18]), leased = ARGV[at + 19]
  }
end

-- The id of the item that is there instead of a new one; nil: it is new.
local function existing(new)
  local had = new.scope and call('HGET', P .. ':n:' .. new.scope, new.name)
  if had and struct.unpack('>I8', had) > now then
    return string.sub(had, 9, 24)
  end
  return call('EXISTS', P .. ':i:' .. new.queue .. ':' .. new.id) == 1 and new.id or nil
end

-- Remembers the item's name; beyond the scope's bound the oldest is forgotten.
-- Reply: how many were forgotten inside their window
local function remember(new, number)
  local names, order = P .. ':n:' .. new.scope, P .. ':d:' .. new.scope
  local place = struct.pack('>I8', number)
  call('SADD', P .. ':scopes', new.scope)
  call('HSET', names, new.name, struct.pack('>I8', now + new.window) .. new.id .. place)
  call('RPUSH', order, new.name .. place)
  local evicted = 0
  while call('HLEN', names) > tonumber(new.maxIds) do
    local oldest = call('LPOP', order)
    if not oldest then
      break
    end
    local name = string.sub(oldest, 1, 16)
    local had = call('HGET', names, name)
    if had and string.sub(had, 25) == string.sub(oldest, 17) then
      call('HDEL', names, name)
      evicted = evicted + (struct.unpack('>I8', had) > now and 1 or 0)
    end
  end
  return evicted
end

-- Reply: token of the lease that it was stored with, or '0'; names that were forgotten for it
local function insert(new, mark)
  seq = math.max(seq + 1, micros)
  local lot = lotNamed(new.queue, new.route, new.group)
  local item = {
    queue = new.queue, id = new.id, hash = P .. ':i:' .. new.queue .. ':' .. new.id, seq = seq, place = struct.pack('>I8', seq) .. new.id, lot = lot, lane = new.lane,
    token = 0, attempting = 0, due = new.due, expires = new.expiresAt and tonumber(new.expiresAt), key = new.key, free = false, bytes = new.bytes, seal = new.seal
  }
  local fields = {
    'n', text(seq), 'l', lot.number, 's', QUEUED, 'w', QUEUED, 'y', new.lane, 't', '0', 'c', '0', 'm', '0', 'a', text(now), 'd', new.due, 'v', new.version,
    'b', text(new.bytes), 'K', new.seal
  }
  local function add(name, value)
    if value then
      fields[#fields + 1] = name
      fields[#fields + 1] = value
    end
  end
  add('D', new.deadline)
  add('x', new.expiresAt)
  add('k', new.key)
  add('i', new.idempotency)
  add('g', new.fingerprint)
  call('HSET', item.hash, unpack(fields))
  call('SET', P .. ':b:' .. new.queue .. ':' .. new.id, new.payload)
  if item.key then
    call('ZADD', ofKey('o', item), text(seq), item.id)
  end
  if new.leased == '1' then
    lease(item, nil, mark, true)
  else
    move(item, nil, QUEUED)
    addExpiry(item)
    if isFirst(item) then
      addReady(item)
    end
  end
  return text(item.token), new.scope and remember(new, seq) or 0
end
