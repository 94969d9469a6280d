-- Frees items that the caller has leased and knows nothing of: Redis went back to a state before their end, as after a failover. Without what to free it
-- lists what the caller has leased. The marks stay for the owner of the items to judge.
-- ARGV  4 leases that began less than so many ms ago are not meant, 5 how many are freed; then queue, id and token of each
-- Reply { for each lease, without what to free: queue, id, token }, how many were freed
begin()
local found, freed = {}, 0
for i = 6, 5 + ARGV[5] * 3, 3 do
  local item = load(ARGV[i], ARGV[i + 1])
  if item and item.state == LEASED and item.owner == instance and text(item.token) == ARGV[i + 2] then
    waitAgain(item)
    freed = freed + 1
  end
end
if ARGV[5] == '0' then
  local old = call('ZRANGEBYSCORE', P .. ':l:' .. instance, '-inf', text(micros - ARGV[4] * 1000), 'WITHSCORES', 'LIMIT', 0, 1000)
  for i = 1, #old, 2 do
    found[#found + 1] = string.sub(old[i], 1, -18)
    found[#found + 1] = string.sub(old[i], -16)
    found[#found + 1] = old[i + 1]
  end
end
return reply(found, freed)
