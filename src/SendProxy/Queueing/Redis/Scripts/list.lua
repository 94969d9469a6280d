-- A page in order of arrival: metadata without bodies and responses.
-- ARGV  4 queue, 5 state or '', 6 seq behind which it begins, 7 most items that are looked at
-- Reply { items: { id, route, group, row, metadata with its length, nothing, '1' where it is held }, how many were looked at, seq of the last one looked at }
local queue, wanted, most = ARGV[4], ARGV[5], tonumber(ARGV[7])
local states = wanted == '' and { 0, 1, 2, 3, 4, 5, 6, 7, 8 } or wanted == text(HELD) and { QUEUED, RETRYING, HELD } or { tonumber(wanted) }
local found = {}
for _, state in ipairs(states) do
  local page = call('ZRANGEBYSCORE', P .. ':s:' .. queue .. ':' .. state, '(' .. ARGV[6], '+inf', 'WITHSCORES', 'LIMIT', 0, most)
  for i = 1, #page, 2 do
    found[#found + 1] = { page[i], tonumber(page[i + 1]) }
  end
end
table.sort(found, function(a, b) return a[2] < b[2] end)

local items, last = {}, ARGV[6]
for i = 1, math.min(#found, most) do
  local item = load(queue, found[i][1])
  last = text(found[i][2])
  if item then
    local isTold = isHeld(item.lot) and isWaiting(item.state)
    local told = isTold and HELD or item.state
    if wanted == '' or told == tonumber(wanted) then
      local payload = P .. ':b:' .. queue .. ':' .. item.id
      local length = call('GETRANGE', payload, 0, 3)
      local metadata = #length == 4 and call('GETRANGE', payload, 0, 3 + struct.unpack('>I4', length)) or false
      items[#items + 1] = { item.id, item.lot.route, item.lot.group, item.row, metadata, false, isTold and '1' or '0' }
    end
  end
end
return { 'ok', text(now), {}, items, math.min(#found, most), last }
