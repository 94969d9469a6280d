-- Reads some of what may still be needed.
-- ARGV  4 step: which of the queues and states, 5 seq behind which it begins, 6 most items, 7 bytes after which no more are read
-- Reply { items: { id, route, group, row, payload, response }, ids by queue of those that are gone, next step or '', next seq }
local queues = call('SMEMBERS', P .. ':queues')
table.sort(queues)
local states = { QUEUED, LEASED, RETRYING, HELD, DEAD, UNKNOWN, EXPIRED }
local step = tonumber(ARGV[4])
local queue, state = queues[math.floor(step / #states) + 1], states[step % #states + 1]
if not queue then
  return { 'ok', text(now), {}, {}, {}, '', '0' }
end
local items, gone, bytes, last = {}, {}, 0, nil
for i, id in ipairs(call('ZRANGEBYSCORE', P .. ':s:' .. queue .. ':' .. state, '(' .. ARGV[5], '+inf', 'LIMIT', 0, ARGV[6])) do
  local item = load(queue, id)
  local payload = call('GET', P .. ':b:' .. queue .. ':' .. id)
  last = call('ZSCORE', P .. ':s:' .. queue .. ':' .. state, id)
  if item and payload then
    bytes = bytes + #payload
    items[#items + 1] = { id, item.lot.route, item.lot.group, item.row, payload, call('GET', P .. ':a:' .. queue .. ':' .. id), '0', queue }
  else
    gone[#gone + 1] = queue
    gone[#gone + 1] = id
  end
  if bytes >= tonumber(ARGV[7]) then
    break
  end
end
if last then
  return { 'ok', text(now), {}, items, gone, text(step), last }
end
return { 'ok', text(now), {}, items, gone, text(step + 1), '0' }
