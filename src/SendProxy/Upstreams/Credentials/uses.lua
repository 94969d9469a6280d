-- When keys were last accepted, over the fleet: each process tells its own and learns the latest of all.
-- Times go in and out as ages, so that no clock but Redis' has to be right.
-- KEYS  1 a hash: "upstream/fingerprint" -> unix ms
-- ARGV  1 after how many ms a key is forgotten, then pairs: field, age in ms
-- Reply pairs: field, age in ms
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
for i = 2, #ARGV, 2 do
  local at = now - tonumber(ARGV[i + 1])
  if at > tonumber(redis.call('HGET', KEYS[1], ARGV[i]) or '0') then
    redis.call('HSET', KEYS[1], ARGV[i], string.format('%.0f', at))
  end
end

local all = redis.call('HGETALL', KEYS[1])
local reply = {}
for i = 1, #all, 2 do
  local age = now - tonumber(all[i + 1])
  if age > tonumber(ARGV[1]) then
    redis.call('HDEL', KEYS[1], all[i])
  else
    reply[#reply + 1] = all[i]
    reply[#reply + 1] = age
  end
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return reply
