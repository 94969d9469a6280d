-- What is held.
-- ARGV  4 queue
-- Reply { SCOPE:NAME, SINCE:REASON, and so on }
return { 'ok', text(now), {}, call('HGETALL', P .. ':h:' .. ARGV[4]) }
