-- Items by route, group and state.
-- ARGV  4 queue
-- Reply { for each lot: { route, group, '1' where it is held, counts by state } }
local counts = {}
for _, number in ipairs(call('SMEMBERS', P .. ':q:' .. ARGV[4])) do
  local lot = lotOf(number)
  counts[#counts + 1] = { lot.route, lot.group, isHeld(lot) and '1' or '0', call('HMGET', P .. ':t:' .. number, '0', '1', '2', '3', '4', '5', '6', '7', '8') }
end
return { 'ok', text(now), {}, counts }
