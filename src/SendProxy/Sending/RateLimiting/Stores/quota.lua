-- One calendar period of a quota, counted for the fleet.
-- KEYS  1 permits used (text)  2 processes seen lately (zset)
-- ARGV  1 process  2 permits used already, to be counted (negative: given back)  3 permits wanted  4 the quota  5 seconds to keep it
-- Reply { used, permits given: all that are wanted or 0, processes }
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
redis.call('ZADD', KEYS[2], string.format('%.0f', now), ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now - 3000000))
local used = math.max(0, tonumber(redis.call('GET', KEYS[1]) or '0') + tonumber(ARGV[2]))
local want, given = tonumber(ARGV[3]), 0
if want > 0 and used + want <= tonumber(ARGV[4]) then
  used = used + want
  given = want
end
redis.call('SET', KEYS[1], string.format('%.0f', used), 'EX', ARGV[5])
redis.call('EXPIRE', KEYS[2], 60)
return { used, given, redis.call('ZCARD', KEYS[2]) }
