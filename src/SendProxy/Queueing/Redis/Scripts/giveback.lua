-- Puts a leased item back as it was when it was claimed.
-- ARGV  4 queue, 5 id, 6 token, 7 mark of this call
-- Reply { done or stale }
begin()
local item, verdict = leased(ARGV[4], ARGV[5], ARGV[6], ARGV[7])
if not item then
  return reply(verdict)
end
if item.attempting == item.token then
  call('HSET', item.hash, 'm', '0')
end
waitAgain(item)
return reply('done')
