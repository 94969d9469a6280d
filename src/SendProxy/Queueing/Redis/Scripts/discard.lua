-- Ends an item that is not in anybody's hands.
-- ARGV  4 queue, 5 id
-- Reply { done, none or refused, the item's state, '1' where it is held }
begin()
local item = load(ARGV[4], ARGV[5])
if not item then
  return reply('none')
end
local state = item.state
local may = (isWaiting(state) and item.attempting == 0) or state == HELD or state == DEAD or state == UNKNOWN or state == EXPIRED
if not may then
  return reply('refused', state, isHeld(item.lot) and '1' or '0')
end
if isFinished(state) then
  call('ZREM', P .. ':f:' .. item.queue .. ':' .. state, item.place)
end
dropReady(item)
call('ZREM', P .. ':e:' .. item.queue, item.place)
call('ZREM', P .. ':m:' .. item.seal, item.queue .. ':' .. item.id)
move(item, state, DISCARDED)
call('HSET', item.hash, 's', DISCARDED, 'm', '0')
finished(item)
return reply('done')
