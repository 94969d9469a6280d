-- Replaces the payload and the idempotency key of an item that waits or is dead.
-- ARGV  4 queue, 5 id, 6 payload, 7 seal key, 8 idempotency key or '', 9 bytes of the item without its response
-- Reply { done, none or refused, the item's state, '1' where it is held }
begin()
local item = load(ARGV[4], ARGV[5])
if not item then
  return reply('none')
end
if item.attempting ~= 0 or not (isWaiting(item.state) or item.state == DEAD) then
  return reply('refused', item.state, isHeld(item.lot) and '1' or '0')
end
local state = item.state
move(item, state, nil)
item.seal, item.bytes = ARGV[7], ARGV[9] + call('STRLEN', P .. ':a:' .. item.queue .. ':' .. item.id)
move(item, nil, state)
call('SET', P .. ':b:' .. item.queue .. ':' .. item.id, ARGV[6])
call('HSET', item.hash, 'K', item.seal, 'b', text(item.bytes))
if ARGV[8] == '' then
  call('HDEL', item.hash, 'i')
else
  call('HSET', item.hash, 'i', ARGV[8])
end
return reply('done')
