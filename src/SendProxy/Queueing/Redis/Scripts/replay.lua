-- Puts an ended item back to the queue.
-- ARGV  4 queue, 5 id, 6 '1': it may take effect twice
-- Reply { done, none or refused, the item's state, '1' where it is held }
begin()
local item = load(ARGV[4], ARGV[5])
if not item then
  return reply('none')
end
local may = item.state == DEAD or item.state == EXPIRED or (item.state == UNKNOWN and ARGV[6] == '1')
if not may or (item.attempting ~= 0 and ARGV[6] ~= '1') then
  return reply('refused', item.state, isHeld(item.lot) and '1' or '0')
end
call('ZREM', P .. ':f:' .. item.queue .. ':' .. item.state, item.place)
move(item, item.state, QUEUED)
item.due = text(now)
call('HSET', item.hash, 's', QUEUED, 'w', QUEUED, 'd', item.due, 'c', '0', 'm', '0', 'F', '1')
call('HDEL', item.hash, 'D', 'f', 'r')
if item.expires and item.expires <= now then
  call('HDEL', item.hash, 'x')
  item.expires = nil
end
item.free = true
addExpiry(item)
addReady(item)
return reply('done')
