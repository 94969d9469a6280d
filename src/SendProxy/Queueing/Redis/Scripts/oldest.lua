-- When the oldest item arrived that is not finished.
-- ARGV  4 queue
-- Reply { its arrival, or '' }
local oldest
for state = QUEUED, HELD do
  local first = call('ZRANGE', P .. ':s:' .. ARGV[4] .. ':' .. state, 0, 0)[1]
  local created = first and call('HGET', P .. ':i:' .. ARGV[4] .. ':' .. first, 'a')
  oldest = created and math.min(oldest or tonumber(created), tonumber(created)) or oldest
end
return { 'ok', text(now), {}, oldest and text(oldest) or '' }
