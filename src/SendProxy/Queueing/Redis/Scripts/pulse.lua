-- Tells that the caller lives, and reads which others do not. A time in which nobody could tell it counts as one interval at most, so that an outage
-- of Redis kills nobody.
-- ARGV  4 longest time that counts in ms, 5 after how long an instance is dead, 6 an instance that is known to be dead or '', 7 one whose leases are freed
-- Reply { instances, of them the dead ones, now in microseconds, wakes by queue }
begin()
local meta, instances = P .. ':meta', P .. ':instances'
local clockOf = call('HMGET', meta, 'pulse', 'pulsed')
local pulse = (clockOf[1] or 0) + math.min(math.max(now - (clockOf[2] or now), 0), ARGV[4])
call('HSET', meta, 'pulse', text(pulse), 'pulsed', text(now))
if ARGV[7] ~= '' then
  call('ZREM', instances, ARGV[7])
end
if ARGV[6] ~= '' then
  call('ZADD', instances, 'NX', text(pulse), ARGV[6])
end
call('ZADD', instances, text(pulse), instance)
return reply(call('ZRANGE', instances, 0, -1), call('ZRANGEBYSCORE', instances, '-inf', text(pulse - ARGV[5])), text(micros), call('HGETALL', P .. ':ver'))
