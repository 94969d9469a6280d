-- Claims one idempotency key: owned, or what another one has made of it. Time is Redis' own.
-- KEYS  1 the record: a hash, gone when its lifetime is over
-- ARGV  1 fingerprint of the request, 2 lease in ms, 3 lifetime in ms, 4 the claim's mark: ends it where this reply is lost
-- Reply { verdict, token, since, answer }
--       verdict: owned, running, finished, mismatch, unknown; token: '0' unless owned;
--       since: when something under this key may first have been sent, in unix ms, '' where nothing was; answer: '' unless finished
-- Fields fingerprint, state (running, finished, open, unknown), token, mark, leased, created, started (unix ms), answer, awaited
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local text = function(number) return string.format('%.0f', number) end
local record = redis.call('HMGET', KEYS[1], 'fingerprint', 'state', 'token', 'leased', 'created', 'started', 'answer')
local fingerprint, state, last, leased, created, started = unpack(record, 1, 6)

-- 1 the same key with another request
if fingerprint and fingerprint ~= ARGV[1] then
  return { 'mismatch', '0', '', '' }
end

-- 2 an end that stays
if state == 'finished' then
  return { 'finished', '0', '', record[7] or '' }
end
if state == 'unknown' then
  return { 'unknown', '0', '', '' }
end

-- 3 a twin at work: it is told to publish its end
if state == 'running' and tonumber(leased) > now then
  redis.call('HSET', KEYS[1], 'awaited', '1')
  return { 'running', '0', '', '' }
end

-- 4 ours. A token is a time in microseconds: it grows, and none comes again when Redis was emptied in between.
local token = text(math.max(clock[1] * 1000000 + clock[2], tonumber(last or '0') + 1))
redis.call('HSET', KEYS[1], 'state', 'running', 'token', token, 'mark', ARGV[4], 'leased', text(now + ARGV[2]))
if not fingerprint then
  redis.call('HSET', KEYS[1], 'fingerprint', ARGV[1], 'created', text(now))
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  return { 'owned', token, '', '' }
end

-- 5 an owner that died may have sent something at any time since the record was made: kept, should this reply be lost
if state == 'running' and not started then
  started = created
  redis.call('HSET', KEYS[1], 'started', started)
end
return { 'owned', token, started or '', '' }
