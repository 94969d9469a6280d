-- GCRA: KEYS[1] holds when the bucket is empty again, in microseconds. ARGV: microseconds a request costs, how many may come at once.
-- Reply: 0 where the request may go, else microseconds to wait.
local clock = redis.call("TIME")
local now = clock[1] * 1000000 + clock[2]
local cost, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local empty = math.max(tonumber(redis.call("GET", KEYS[1]) or now), now)
local wait = empty - now - cost * (burst - 1)
if wait > 0 then
  return math.ceil(wait)
end
redis.call("SET", KEYS[1], string.format("%.0f", empty + cost), "PX", 10000)
return 0
