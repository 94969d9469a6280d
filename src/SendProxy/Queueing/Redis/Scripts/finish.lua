-- Ends a leased item and stores what follows from it, both or neither. Needs store.lua.
-- ARGV  4 queue, 5 id, 6 token, 7 mark of this call, 8 state, 9 reason or '', 10 attempts made, 11 response's status or '', 12 sealed response,
--       13 items that there may be, 14 their bytes, 15 how many follow; then WIDTH for each, see newItem
-- Reply { done, stale or full, names forgotten inside their window by queue and number }
begin()
local item, verdict = leased(ARGV[4], ARGV[5], ARGV[6], ARGV[7])
if not item then
  return reply(verdict, {})
end

-- What follows may take the place of what ends.
local state, maxItems, maxBytes = tonumber(ARGV[8]), tonumber(ARGV[13]), tonumber(ARGV[14])
local fresh, bytes, evicted = {}, 0, {}
for i = 1, tonumber(ARGV[15]) do
  local new = newItem(16 + (i - 1) * WIDTH)
  if not existing(new) then
    fresh[#fresh + 1] = new
    bytes = bytes + new.bytes
  end
end
local ends = isSettled(state)
if #fresh > 0 and fullOf(#fresh - (ends and 1 or 0), bytes - (ends and item.bytes or 0), maxItems, maxBytes) then
  return reply('full', {})
end

respond(item, ARGV[11], ARGV[12])
unlease(item, state)
call('HINCRBY', item.hash, 'c', ARGV[10])
if ARGV[9] == '' then
  call('HDEL', item.hash, 'r')
else
  call('HSET', item.hash, 'r', ARGV[9])
end
if state == DONE or state == DEAD then
  call('HSET', item.hash, 'm', '0')
end
finished(item)
if #fresh > 0 then
  makeRoom(#fresh, bytes, maxItems, maxBytes)
end
for _, new in ipairs(fresh) do
  -- Looked up again: one may be another's duplicate.
  if not existing(new) then
    local _, forgotten = insert(new, '')
    if forgotten > 0 then
      evicted[#evicted + 1] = new.queue
      evicted[#evicted + 1] = text(forgotten)
    end
  end
end
return reply('done', evicted)
