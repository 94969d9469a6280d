-- Stops claims of a route or group; a claim that meets one of its lots puts it out of its way.
-- ARGV  4 queue, 5 SCOPE:NAME, 6 reason
begin()
call('HSET', P .. ':h:' .. ARGV[4], ARGV[5], text(now) .. ':' .. ARGV[6])
return reply()
