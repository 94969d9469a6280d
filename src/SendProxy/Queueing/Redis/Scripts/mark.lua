-- Records that an attempt of a leased item may be started.
-- ARGV  4 queue, 5 id, 6 token, 7 mark of this call, 8 key fingerprint or '', 9 deadline or ''
-- Reply { done or stale }
begin()
local item, verdict = leased(ARGV[4], ARGV[5], ARGV[6], ARGV[7])
if not item then
  return reply(verdict)
end
if item.attempting == 0 then
  call('HSET', item.hash, 'm', text(item.token))
end
if ARGV[8] ~= '' then
  call('HSET', item.hash, 'g', ARGV[8])
end
if ARGV[9] ~= '' then
  call('HSET', item.hash, 'D', ARGV[9])
end
return reply('done')
