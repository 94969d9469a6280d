-- Leases what is due: by lane, due time, arrival; or, with 8, what is overdue.
-- ARGV  4 queue, 5 most items, 6 bytes after which no more are taken, 7 most of one lot, 8 '1': expired ones instead, 9 '1': marked as attempting,
--       10 mark of this call, 11 how many groups alone ('-1': all), 12 how many groups not, 13 how many routes not; then their names
-- Reply { items: { id, route, group, row, payload, response }, when more is due or '', items that are gone from Redis }
begin()
local queue, max, maxBytes, maxPerLot, marked, mark = ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[9] == '1', ARGV[10]
local MOST_LOTS, MOST_DROPS = 2000, 1000
if call('EXISTS', P .. ':void:' .. mark) == 1 then
  return reply({}, '', 0)
end

local at = 14
local function names(count)
  local set = {}
  for _ = 1, count do
    set[ARGV[at]] = true
    at = at + 1
  end
  return set
end
local only = tonumber(ARGV[11]) >= 0 and names(tonumber(ARGV[11]))
local notGroups, notRoutes = names(tonumber(ARGV[12])), names(tonumber(ARGV[13]))
local function isWanted(lot) return (not only or only[lot.group]) and not notGroups[lot.group] and not notRoutes[lot.route] end

local rows, bytes, ofLot, usedUp, gone, dropped = {}, 0, {}, false, 0, 0
local function hasRoom() return #rows < max and (#rows == 0 or bytes < maxBytes) end

local function take(item)
  lease(item, item.waiting, mark, marked)
  item.row[3], item.row[6], item.row[8] = text(LEASED), text(item.token), text(item.attempting)
  local payload = call('GET', P .. ':b:' .. queue .. ':' .. item.id)
  bytes = bytes + #(payload or '')
  rows[#rows + 1] = { item.id, item.lot.route, item.lot.group, item.row, payload, call('GET', P .. ':a:' .. queue .. ':' .. item.id) }
end

-- Takes the first item of a lot's lane, or puts it aside where it may not go: then another lot may be first.
-- Returns whether there was one that is due
local function takeFirst(lot, lane)
  local ready = P .. ':r:' .. lot.number .. ':' .. lane
  local head = call('ZRANGE', ready, 0, 0, 'WITHSCORES')
  if not head[1] or tonumber(head[2]) > now then
    return false
  end
  local item = load(queue, string.sub(head[1], 9))
  if item and not (item.expires and item.expires <= now) and not isInFlight(item) then
    take(item)
    ofLot[lot.number] = (ofLot[lot.number] or 0) + 1
    usedUp = usedUp or ofLot[lot.number] >= maxPerLot
    return true
  end
  dropped = dropped + 1
  if not item then
    call('ZREM', ready, head[1])
    refresh(lot, lane)
    gone = gone + 1
  elseif item.expires and item.expires <= now then
    dropReady(item)
  else
    call('ZREM', ready, head[1])
    call('ZADD', parked(item, lane), head[2], head[1])
    refresh(lot, lane)
  end
  return true
end

local function hasShare(lot) return (ofLot[lot.number] or 0) < maxPerLot end

-- All groups: the lots in the order of their first items.
local function claimAll(lane)
  local heads, skipped = P .. ':w:' .. queue .. ':' .. lane, 0
  while hasRoom() and skipped < MOST_LOTS and dropped < MOST_DROPS do
    local head = call('ZRANGE', heads, skipped, skipped, 'WITHSCORES')
    if not head[1] or tonumber(head[2]) > now then
      return
    end
    local lot = lotOf(string.sub(head[1], 9))
    if not isWanted(lot) or not hasShare(lot) then
      skipped = skipped + 1
    elseif isHeld(lot) then
      refresh(lot, lane)
    elseif not takeFirst(lot, lane) then
      refresh(lot, lane)
      dropped = dropped + 1
    end
  end
  usedUp = usedUp or skipped >= MOST_LOTS or dropped >= MOST_DROPS
end

-- Named groups: their lots are few.
local chosen = {}
for group in pairs(only or {}) do
  for _, number in ipairs(call('SMEMBERS', P .. ':g:' .. queue .. ':' .. group)) do
    local lot = lotOf(number)
    if isWanted(lot) and not isHeld(lot) then
      chosen[#chosen + 1] = lot
    end
  end
end

local function claimChosen(lane)
  while hasRoom() and dropped < MOST_DROPS do
    local first, due, place
    for _, lot in ipairs(chosen) do
      local head = hasShare(lot) and call('ZRANGE', P .. ':r:' .. lot.number .. ':' .. lane, 0, 0, 'WITHSCORES') or {}
      local at = head[1] and tonumber(head[2])
      if at and (not first or at < due or (at == due and struct.unpack('>I8', head[1]) < place)) then
        first, due, place = lot, at, struct.unpack('>I8', head[1])
      end
    end
    if not first or due > now then
      return
    end
    takeFirst(first, lane)
  end
  usedUp = usedUp or dropped >= MOST_DROPS
end

local function nextDue()
  local next
  for _, lane in ipairs(LANES) do
    if only then
      for _, lot in ipairs(chosen) do
        local head = call('ZRANGE', P .. ':r:' .. lot.number .. ':' .. lane, 0, 0, 'WITHSCORES')
        next = head[1] and math.min(next or tonumber(head[2]), tonumber(head[2])) or next
      end
    else
      for skipped = 0, MOST_LOTS do
        local head = call('ZRANGEBYSCORE', P .. ':w:' .. queue .. ':' .. lane, '(' .. text(now), '+inf', 'WITHSCORES', 'LIMIT', skipped, 1)
        if not head[1] then
          break
        end
        local lot = lotOf(string.sub(head[1], 9))
        if isWanted(lot) and not isHeld(lot) then
          next = math.min(next or tonumber(head[2]), tonumber(head[2]))
          break
        end
      end
    end
  end
  return next and text(next) or ''
end

local function claimExpired()
  local overdue, skipped = P .. ':e:' .. queue, 0
  while #rows < max and skipped < MOST_LOTS do
    local first = call('ZRANGE', overdue, skipped, skipped, 'WITHSCORES')
    if not first[1] or tonumber(first[2]) > now then
      break
    end
    local item = load(queue, string.sub(first[1], 9))
    if not item then
      call('ZREM', overdue, first[1])
      gone = gone + 1
    elseif isWanted(item.lot) then
      take(item)
    else
      skipped = skipped + 1
    end
  end
  local next = call('ZRANGEBYSCORE', overdue, '(' .. text(now), '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  return #rows == max and text(now) or next[2] or ''
end

local due
if ARGV[8] == '1' then
  due = claimExpired()
else
  for _, lane in ipairs(LANES) do
    if only then
      claimChosen(lane)
    else
      claimAll(lane)
    end
  end
  due = (not hasRoom() or usedUp) and text(now) or nextDue()
end
if #rows < max then
  call('SADD', P .. ':idle', queue)
end
return reply(rows, due, gone)
