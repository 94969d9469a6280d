-- Stores each item unless its name or id is there already. Needs store.lua.
-- ARGV  4 items that there may be, 5 their bytes, 6 how many, 7 mark of this call; then WIDTH for each item, see newItem
-- Reply { for each: { verdict, id, token }, names forgotten inside their window by queue and number }
--       verdict: stored, duplicate (id: the earlier one), items or bytes (the bound that is reached)
begin()
local maxItems, maxBytes = tonumber(ARGV[4]), tonumber(ARGV[5])
local verdicts, evicted = {}, {}
for i = 1, tonumber(ARGV[6]) do
  local new = newItem(8 + (i - 1) * WIDTH)
  local there = existing(new)
  local full = not there and fullOf(1, new.bytes, maxItems, maxBytes)
  local own = there == new.id and new.leased == '1' and load(new.queue, there)
  if own and own.mark == ARGV[7] and own.state == LEASED then
    verdicts[i] = { 'stored', there, text(own.token) }
  elseif there then
    verdicts[i] = { 'duplicate', there, '0' }
  elseif full then
    verdicts[i] = { full, new.id, '0' }
  else
    makeRoom(1, new.bytes, maxItems, maxBytes)
    local token, forgotten = insert(new, ARGV[7])
    verdicts[i] = { 'stored', new.id, token }
    if forgotten > 0 then
      evicted[#evicted + 1] = new.queue
      evicted[#evicted + 1] = text(forgotten)
    end
  end
end
return reply(verdicts, evicted)
