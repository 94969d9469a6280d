-- Which seal keys are needed. The oldest item of each is looked for among the first of each state only.
-- Reply { for each key: { key, items, oldest arrival or '' } }
local MOST = 100
local oldest = {}
for _, queue in ipairs(call('SMEMBERS', P .. ':queues')) do
  for state = QUEUED, EXPIRED do
    if needsKey(state) then
      for _, id in ipairs(call('ZRANGE', P .. ':s:' .. queue .. ':' .. state, 0, MOST - 1)) do
        local row = call('HMGET', P .. ':i:' .. queue .. ':' .. id, 'K', 'a')
        if row[1] and (not oldest[row[1]] or tonumber(row[2]) < oldest[row[1]]) then
          oldest[row[1]] = tonumber(row[2])
        end
      end
    end
  end
end
local uses, counts = {}, call('HGETALL', P .. ':k')
for i = 1, #counts, 2 do
  uses[#uses + 1] = { counts[i], counts[i + 1], oldest[counts[i]] and text(oldest[counts[i]]) or '' }
end
return { 'ok', text(now), {}, uses }
