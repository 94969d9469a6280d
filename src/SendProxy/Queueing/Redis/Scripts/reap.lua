-- Frees what an instance has leased that lives no more. The marks stay for the owner of the items to judge.
-- ARGV  4 the instance, 5 greatest token: what it leased after it was found dead is not meant, 6 most items
-- Reply { items that were freed, how many are left }
begin()
local its, freed = P .. ':l:' .. ARGV[4], 0
for _, member in ipairs(call('ZRANGEBYSCORE', its, '-inf', ARGV[5], 'LIMIT', 0, ARGV[6])) do
  local item = load(string.sub(member, 1, -18), string.sub(member, -16))
  if item and item.state == LEASED and item.owner == ARGV[4] then
    waitAgain(item)
    freed = freed + 1
  else
    call('ZREM', its, member)
  end
end
local left = call('ZCOUNT', its, '-inf', ARGV[5])
if call('EXISTS', its) == 0 then
  call('SREM', P .. ':owners', ARGV[4])
end
return reply(freed, left)
