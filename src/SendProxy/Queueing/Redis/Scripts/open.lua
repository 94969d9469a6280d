-- Opens a shard: makes it where it is not there. The number of shards is fixed in the data.
-- KEYS  1 the shard
-- ARGV  1 how many shards a new one is one of, 2 a new epoch, random
-- Reply { epoch, shards, seq, 1 where it was made now }
local meta = KEYS[1] .. ':meta'
local made = redis.call('HSETNX', meta, 'epoch', ARGV[2])
if made == 1 then
  redis.call('HSET', meta, 'shards', ARGV[1], 'seq', '0', 'items', '0', 'bytes', '0', 'settled', '0', 'settledBytes', '0')
end
local known = redis.call('HMGET', meta, 'epoch', 'shards', 'seq')
return { known[1], known[2], known[3], made }
