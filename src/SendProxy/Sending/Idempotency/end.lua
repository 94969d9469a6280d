-- Ends a running record, if the token still owns it. Its lifetime goes on as it was.
-- KEYS  1 the record (see claim.lua)
-- ARGV  1 token or mark of the claim, 2 state: finished, open, unknown, 3 sealed answer or '', 4 started in unix ms or '', 5 channel, 6 what is published on it
-- Reply 1, or 0 where another one owns it or it is gone
local record = redis.call('HMGET', KEYS[1], 'state', 'token', 'mark', 'awaited')
if record[1] ~= 'running' or (record[2] ~= ARGV[1] and record[3] ~= ARGV[1]) then
  return 0
end

redis.call('HSET', KEYS[1], 'state', ARGV[2])
if ARGV[3] ~= '' then
  redis.call('HSET', KEYS[1], 'answer', ARGV[3])
end
if ARGV[4] ~= '' then
  redis.call('HSETNX', KEYS[1], 'started', ARGV[4])
end

-- Only who waits is told: most keys have no twin, and the channel reaches every process.
if record[4] then
  redis.call('HDEL', KEYS[1], 'awaited')
  redis.call('PUBLISH', ARGV[5], ARGV[6])
end
return 1
