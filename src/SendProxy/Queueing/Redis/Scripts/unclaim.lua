-- Gives back what a claim took whose reply was lost. Should that claim be late and not have run yet, it will take nothing.
-- ARGV  4 the claim's mark
-- Reply { items that were given back }
begin()
call('SET', P .. ':void:' .. ARGV[4], '1', 'PX', 60000)
local given = 0
for _, member in ipairs(call('ZREVRANGE', P .. ':l:' .. instance, 0, 1999)) do
  local item = load(string.sub(member, 1, -18), string.sub(member, -16))
  if item and item.state == LEASED and item.owner == instance and item.mark == ARGV[4] then
    if item.attempting == item.token then
      call('HSET', item.hash, 'm', '0')
    end
    waitAgain(item)
    given = given + 1
  end
end
return reply(given)
