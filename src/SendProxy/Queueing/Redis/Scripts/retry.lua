-- Puts a leased item back to be claimed again later.
-- ARGV  4 queue, 5 id, 6 token, 7 mark of this call, 8 due, 9 reason, 10 attempts made, 11 response's status or '', 12 sealed response,
--       13 '1': the attempt may have taken effect, 14 '1': those behind it do not wait for it any more
-- Reply { done or stale }
begin()
local item, verdict = leased(ARGV[4], ARGV[5], ARGV[6], ARGV[7])
if not item then
  return reply(verdict)
end
respond(item, ARGV[11], ARGV[12])
item.waiting, item.due = RETRYING, theirs(ARGV[8])
local attempting = ARGV[13] ~= '1' and 0 or item.attempting == 0 and item.token or item.attempting
call('HSET', item.hash, 'w', RETRYING, 'd', item.due, 'r', ARGV[9], 'm', text(attempting))
call('HINCRBY', item.hash, 'c', ARGV[10])
if ARGV[14] == '1' then
  letPass(item)
end
waitAgain(item)
unblock(item)
return reply('done')
