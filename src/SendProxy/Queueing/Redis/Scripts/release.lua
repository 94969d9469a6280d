-- Lets a held route or group go on.
-- ARGV  4 queue, 5 SCOPE:NAME
-- Reply { done or none }
begin()
if call('HDEL', P .. ':h:' .. ARGV[4], ARGV[5]) == 0 then
  return reply('none')
end
local scope, name = string.match(ARGV[5], '^(%d):(.*)$')
local numbers = call('SMEMBERS', scope == '1' and P .. ':g:' .. ARGV[4] .. ':' .. name or P .. ':q:' .. ARGV[4])
for _, number in ipairs(numbers) do
  local lot = lotOf(number)
  if scope == '1' or lot.route == name then
    for _, lane in ipairs(LANES) do
      refresh(lot, lane)
    end
  end
end
woken[ARGV[4]] = true
return reply('done')
