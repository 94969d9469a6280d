-- A quota of one calendar period, shared by the fleet: what is used, and what each process may use before it tells.
-- KEYS  1 state (hash)  2 told last and leased by each process (hash)  3 processes by the end of their lease (zset)
-- ARGV  1 process  2 permits used already (less those given back)  3 leased permits that it keeps  4 permits wanted now, exactly
--       5 the plan's  6 milliseconds for which the state is kept  7 used and 8 number of the last reply that it saw
--       9 number of the call: one that is told again counts once; 0: none  10.. permits at which the use is told
-- Reply { used, granted, leased, processes, milliseconds of this server's clock, number, alerts reached now by their bits }
local K, A = KEYS, ARGV
local id, kept, want, limit = A[1], tonumber(A[3]), tonumber(A[4]), tonumber(A[5])
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local v = redis.call('HMGET', K[1], 'used', 'seq')
local used, seq = tonumber(v[1] or 0), tonumber(v[2] or 0)

-- 1 a state that was lost: what this process saw is the least that is used
if seq < tonumber(A[8]) then used, seq = math.max(used, tonumber(A[7])), tonumber(A[8]) end
seq = seq + 1

-- 2 who is there; the lease of one that is gone is free again
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', K[3], '-inf', now)) do redis.call('HDEL', K[2], gone .. ':leased', gone .. ':call') end
redis.call('ZREMRANGEBYSCORE', K[3], '-inf', now)
redis.call('ZADD', K[3], now + 30000, id)
local live = redis.call('ZCARD', K[3])

-- 3 what was used already
if A[9] ~= '0' and redis.call('HGET', K[2], id .. ':call') ~= A[9] then
  used = math.max(0, used + tonumber(A[2]))
  redis.call('HSET', K[2], id .. ':call', A[9])
end
local others, own = 0, 0
local all = redis.call('HGETALL', K[2])
for i = 1, #all, 2 do
  if all[i] == id .. ':leased' then own = tonumber(all[i + 1])
  elseif string.sub(all[i], -7) == ':leased' then others = others + tonumber(all[i + 1]) end
end

-- 4 exactly: never beyond what is not leased; and a small part of what is left for what comes
local granted = 0
local leased = A[9] ~= '0' and kept or own
if want > 0 and used + others + leased + want <= limit then
  used = used + want
  granted = want
end
if A[9] ~= '0' then
  leased = math.max(kept, math.min(100000, math.floor((limit - used - others) / (8 * live))))
  if leased < 4 and kept == 0 then leased = 0 end
  redis.call('HSET', K[2], id .. ':leased', leased)
end

-- 5 each share that is told is told by one process
local reached = 0
for i = 10, #A do
  if used >= tonumber(A[i]) and redis.call('HSETNX', K[1], 'alert' .. A[i], 1) == 1 then reached = reached + 2 ^ (i - 10) end
end
redis.call('HSET', K[1], 'used', string.format('%.0f', used), 'seq', seq)
for i = 1, 3 do redis.call('PEXPIRE', K[i], A[6]) end
return { used, granted, leased, live, now, seq, reached }
