-- Holds a leased item that does not open. Those behind it under its order key go on: it may never open again.
-- ARGV  4 queue, 5 id, 6 token, 7 mark of this call, 8 reason, 9 seal key that is missing or ''
-- Reply { done or stale }
begin()
local item, verdict = leased(ARGV[4], ARGV[5], ARGV[6], ARGV[7])
if not item then
  return reply(verdict)
end
if item.attempting == item.token then
  call('HSET', item.hash, 'm', '0')
end
unlease(item, HELD)
call('HSET', item.hash, 'r', ARGV[8])
letPass(item)
if ARGV[9] ~= '' then
  call('ZADD', P .. ':m:' .. ARGV[9], text(item.seq), item.queue .. ':' .. item.id)
end
unblock(item)
return reply('done')
