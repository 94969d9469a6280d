-- What every operation of the queue stands on; it is put before each of them. All keys of a shard are in one slot, and each operation does bounded work.
-- KEYS  1 the shard, {PREFIX:q:NUMBER}; each of its keys begins with it
-- ARGV  1 the caller's clock in unix ms, 2 the shard's epoch as the caller knows it, 3 the caller's instance; then the operation's own
-- Reply { 'ok', now in unix ms, queues that have new work, ... }, or { 'lost' } where the shard is not the one that the caller knows
-- Keys, after the shard's name; LOT is a number for one queue, route and group, LANE is 0 to 2, ID is 16 bytes:
--   meta            hash: epoch, shards, seq (the last place given), items, bytes, settled, settledBytes, lots, changed
--   queues, scopes  sets of names;  ver  hash: queue -> how often its waiters were woken;  idle  set: queues that somebody waits for
--   i:QUEUE:ID      hash, see FIELDS;  b:QUEUE:ID  sealed metadata's length (4 bytes), metadata, body;  a:QUEUE:ID  sealed response
--   lots            hash: QUEUE\0ROUTE\0GROUP -> LOT;  t:LOT  hash: q, r, g, counts by state 0 to 8, w0 to w2 (its members of w:)
--   q:QUEUE, g:QUEUE:GROUP  sets of lots
--   s:QUEUE:STATE   zset by seq of ID;  f:QUEUE:STATE  zset by end of PLACE;  e:QUEUE  zset by expiry of PLACE, waiting items only
--   r:LOT:LANE      zset by due time of PLACE: claimable;  w:QUEUE:LANE  zset by due time of the lots' first claimable items
--   o:LOT:KEY       zset by seq of ID: unfinished items of an order key that others wait for;  x:LOT:KEY  how many are in flight
--   p:LANE:LOT:KEY  zset by due time of PLACE: claimable, but for one of their key that is in flight
--   l:INSTANCE      zset by token of QUEUE:ID: what it has leased;  owners  set of instances that have such a set
--   h:QUEUE         hash: SCOPE:NAME -> SINCE:REASON;  k  hash: seal key -> items that need it;  m:KEY  zset: held, since that key is missing
--   n:SCOPE         hash: name -> until, id, seq;  d:SCOPE  list of names and seqs in order of arrival
-- PLACE is seq in 8 bytes, then ID: of equal times the earlier arrival comes first.
local call = redis.call
local P = KEYS[1]
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local micros = clock[1] * 1000000 + clock[2]
local skew = now - ARGV[1]
local instance = ARGV[3]
local QUEUED, LEASED, RETRYING, HELD, DONE, DEAD, UNKNOWN, EXPIRED, DISCARDED = 0, 1, 2, 3, 4, 5, 6, 7, 8
local SETTLED = { DONE, DISCARDED, EXPIRED }
local LANES = { '0', '1', '2' }
-- seq, lot, state, waiting, lane, token, attempts, attempting, created, due, deadline, expires, finished, order key, free (those behind it do not
-- wait), idempotency key, key fingerprint, schema version, reason, response's status, bytes, seal key, owner, mark of the last call that moved it
local FIELDS = { 'n', 'l', 's', 'w', 'y', 't', 'c', 'm', 'a', 'd', 'D', 'x', 'f', 'k', 'F', 'i', 'g', 'v', 'r', 'S', 'b', 'K', 'o', 'e' }

local function text(number) return string.format('%.0f', number) end
local function given(value) return value ~= '' and value or nil end
local function theirs(time) return time ~= '' and text(time + skew) or nil end

local known = call('HMGET', P .. ':meta', 'epoch', 'seq', 'items', 'bytes', 'settled', 'settledBytes')
if known[1] ~= ARGV[2] then
  return { 'lost' }
end
local seq = tonumber(known[2])
local total = { items = tonumber(known[3]), bytes = tonumber(known[4]), settled = tonumber(known[5]), settledBytes = tonumber(known[6]) }
local lots, held, woken = {}, {}, {}

-- The first write of an operation: one that a full Redis or a replica refuses, so that nothing is half done.
local function begin() call('HSET', P .. ':meta', 'changed', text(now)) end

local function reply(...)
  call('HSET', P .. ':meta', 'seq', text(seq), 'items', text(total.items), 'bytes', text(total.bytes),
    'settled', text(total.settled), 'settledBytes', text(total.settledBytes))
  local queues = {}
  for queue in pairs(woken) do
    queues[#queues + 1] = queue
    if call('SREM', P .. ':idle', queue) == 1 then
      call('HINCRBY', P .. ':ver', queue, 1)
      local prefix, number = string.match(P, '^{(.*):(%d+)}$')
      call('PUBLISH', prefix .. ':wake', number .. ':' .. instance .. ':' .. queue)
    end
  end
  return { 'ok', text(now), queues, ... }
end

local function isSettled(state) return state == DONE or state == DISCARDED or state == EXPIRED end
local function isWaiting(state) return state == QUEUED or state == RETRYING end
local function isFinished(state) return state >= DONE end
local function needsKey(state) return state ~= DONE and state ~= DISCARDED end

local function lotOf(number)
  local lot = lots[number]
  if not lot then
    local names = call('HMGET', P .. ':t:' .. number, 'q', 'r', 'g')
    lot = { number = number, queue = names[1], route = names[2], group = names[3] }
    lots[number] = lot
  end
  return lot
end

local function lotNamed(queue, route, group)
  local name = queue .. '\0' .. route .. '\0' .. group
  local number = call('HGET', P .. ':lots', name)
  if not number then
    number = text(call('HINCRBY', P .. ':meta', 'lots', 1))
    call('HSET', P .. ':lots', name, number)
    call('HSET', P .. ':t:' .. number, 'q', queue, 'r', route, 'g', group)
    call('SADD', P .. ':queues', queue)
    call('SADD', P .. ':q:' .. queue, number)
    call('SADD', P .. ':g:' .. queue .. ':' .. group, number)
  end
  return lotOf(number)
end

local function isHeld(lot)
  if held[lot.number] == nil then
    local holds = call('HMGET', P .. ':h:' .. lot.queue, '0:' .. lot.route, '1:' .. lot.group)
    held[lot.number] = (holds[1] or holds[2]) and true or false
  end
  return held[lot.number]
end

-- Puts the lot where its first claimable item belongs among the queue's lots; a held lot is nowhere.
local function refresh(lot, lane)
  local head = isHeld(lot) and {} or call('ZRANGE', P .. ':r:' .. lot.number .. ':' .. lane, 0, 0, 'WITHSCORES')
  local heads, t = P .. ':w:' .. lot.queue .. ':' .. lane, P .. ':t:' .. lot.number
  local old = call('HGET', t, 'w' .. lane)
  local member = head[1] and string.sub(head[1], 1, 8) .. lot.number
  if old and old ~= member then
    call('ZREM', heads, old)
  end
  if member then
    call('ZADD', heads, head[2], member)
    if old ~= member then
      call('HSET', t, 'w' .. lane, member)
    end
  elseif old then
    call('HDEL', t, 'w' .. lane)
  end
end

local function load(queue, id)
  local row = call('HMGET', P .. ':i:' .. queue .. ':' .. id, unpack(FIELDS))
  if not row[1] then
    return nil
  end
  local number = tonumber(row[1])
  return {
    queue = queue, id = id, row = row, hash = P .. ':i:' .. queue .. ':' .. id, seq = number, place = struct.pack('>I8', number) .. id,
    lot = lotOf(row[2]), state = tonumber(row[3]), waiting = tonumber(row[4]), lane = row[5], token = tonumber(row[6]), attempting = tonumber(row[8]),
    due = row[10], expires = row[12] and tonumber(row[12]), key = row[14], free = row[15] == '1', bytes = tonumber(row[21]), seal = row[22],
    owner = row[23], mark = row[24]
  }
end

-- Counts a change of state; nil stands for not being there.
local function move(item, from, to)
  if from then
    call('HINCRBY', P .. ':t:' .. item.lot.number, from, -1)
    call('ZREM', P .. ':s:' .. item.queue .. ':' .. from, item.id)
    total.items, total.bytes = total.items - 1, total.bytes - item.bytes
    if isSettled(from) then
      total.settled, total.settledBytes = total.settled - 1, total.settledBytes - item.bytes
    end
  end
  if to then
    call('HINCRBY', P .. ':t:' .. item.lot.number, to, 1)
    call('ZADD', P .. ':s:' .. item.queue .. ':' .. to, text(item.seq), item.id)
    total.items, total.bytes = total.items + 1, total.bytes + item.bytes
    if isSettled(to) then
      total.settled, total.settledBytes = total.settled + 1, total.settledBytes + item.bytes
    end
  end
  local before, after = from and needsKey(from), to and needsKey(to)
  if before ~= after and (before or after) and call('HINCRBY', P .. ':k', item.seal, after and 1 or -1) == 0 then
    call('HDEL', P .. ':k', item.seal)
  end
  item.state = to
end

local function addReady(item)
  call('ZADD', P .. ':r:' .. item.lot.number .. ':' .. item.lane, item.due, item.place)
  refresh(item.lot, item.lane)
  woken[item.queue] = true
end

local function ofKey(kind, item) return P .. ':' .. kind .. ':' .. item.lot.number .. ':' .. item.key end
local function parked(item, lane) return P .. ':p:' .. lane .. ':' .. item.lot.number .. ':' .. item.key end
local function isInFlight(item) return item.key and call('EXISTS', ofKey('x', item)) == 1 end

-- One of each lane that waited for the end of another of its key is claimable again.
local function unpark(item)
  for _, lane in ipairs(LANES) do
    local first = call('ZPOPMIN', parked(item, lane))
    if first[1] then
      call('ZADD', P .. ':r:' .. item.lot.number .. ':' .. lane, first[2], first[1])
      refresh(item.lot, lane)
    end
  end
  woken[item.queue] = true
end

local function removeReady(item)
  local removed = call('ZREM', P .. ':r:' .. item.lot.number .. ':' .. item.lane, item.place) == 1
  if removed then
    refresh(item.lot, item.lane)
  end
  if item.key then
    call('ZREM', parked(item, item.lane), item.place)
  end
  return removed
end

-- As above, for an item that does not go in flight: those of its key that wait for nothing else may go.
local function dropReady(item)
  if removeReady(item) and item.key and not isInFlight(item) then
    unpark(item)
  end
end

local function isFirst(item)
  return not item.key or item.free or call('ZRANGE', ofKey('o', item), 0, 0)[1] == item.id
end

-- The first of an order key that others wait for becomes claimable.
local function unblock(item)
  local first = item.key and call('ZRANGE', ofKey('o', item), 0, 0)[1]
  local next = first and load(item.queue, first)
  if next and isWaiting(next.state) then
    addReady(next)
  end
end

-- Those behind it do not wait for it any more.
local function letPass(item)
  if item.key and not item.free then
    call('ZREM', ofKey('o', item), item.id)
    call('HSET', item.hash, 'F', '1')
    item.free = true
  end
end

local function addExpiry(item)
  if item.expires then
    call('ZADD', P .. ':e:' .. item.queue, text(item.expires), item.place)
    woken[item.queue] = true
  end
end

-- A token is a time in microseconds: it grows, and none comes again when Redis lost something in between.
local function lease(item, from, claim, marked)
  item.token = math.max(micros, item.token + 1)
  if from then
    removeReady(item)
    call('ZREM', P .. ':e:' .. item.queue, item.place)
  end
  move(item, from, LEASED)
  if marked and item.attempting == 0 then
    item.attempting = item.token
  end
  call('HSET', item.hash, 's', LEASED, 't', text(item.token), 'm', text(item.attempting), 'o', instance, 'e', claim)
  call('ZADD', P .. ':l:' .. instance, text(item.token), item.queue .. ':' .. item.id)
  call('SADD', P .. ':owners', instance)
  if item.key then
    call('INCR', ofKey('x', item))
  end
end

-- The item leaves the hands that it is in; what it becomes is the caller's to write.
local function unlease(item, to)
  call('ZREM', P .. ':l:' .. item.owner, item.queue .. ':' .. item.id)
  move(item, LEASED, to)
  call('HSET', item.hash, 's', to)
  if item.key then
    if call('DECR', ofKey('x', item)) <= 0 then
      call('DEL', ofKey('x', item))
      unpark(item)
    end
    woken[item.queue] = true
  end
end

-- Back to where it waited before.
local function waitAgain(item)
  unlease(item, item.waiting)
  addExpiry(item)
  if isFirst(item) then
    addReady(item)
  end
end

local function finished(item)
  call('HSET', item.hash, 'f', text(now))
  call('ZADD', P .. ':f:' .. item.queue .. ':' .. item.state, text(now), item.place)
  if item.key and not item.free then
    call('ZREM', ofKey('o', item), item.id)
  end
  unblock(item)
end

-- The item of a lease, or the reply to a caller whose lease it is not. A call whose reply was lost is repeated with its mark, and is done.
local function leased(queue, id, token, mark)
  local item = load(queue, id)
  if item and item.state == LEASED and text(item.token) == token then
    call('HSET', item.hash, 'e', mark)
    return item
  end
  return nil, item and item.mark == mark and 'done' or 'stale'
end

local function respond(item, status, sealed)
  if status == '' then
    return
  end
  local old = call('STRLEN', P .. ':a:' .. item.queue .. ':' .. item.id)
  call('SET', P .. ':a:' .. item.queue .. ':' .. item.id, sealed)
  item.bytes = item.bytes + #sealed - old
  total.bytes = total.bytes + #sealed - old
  call('HSET', item.hash, 'S', status, 'b', text(item.bytes))
end
