-- One item with its payload and response.
-- ARGV  4 queue, 5 id
-- Reply { id, route, group, row, payload, response, '1' where it is held }, or nothing
local item = load(ARGV[4], ARGV[5])
if not item then
  return { 'ok', text(now), {} }
end
return { 'ok', text(now), {}, { item.id, item.lot.route, item.lot.group, item.row, call('GET', P .. ':b:' .. item.queue .. ':' .. item.id),
  call('GET', P .. ':a:' .. item.queue .. ':' .. item.id), isHeld(item.lot) and '1' or '0' } }
