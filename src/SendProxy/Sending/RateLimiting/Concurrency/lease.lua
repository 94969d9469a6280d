-- A limit of so many at once, shared by the fleet: each process leases slots, uses them without asking, and gives back what it
-- does not need. Times are milliseconds of this server's clock, in the line microseconds.
-- KEYS  1 state (hash)  2 processes by the end of their lease (zset)  3 slots of each (hash)  4 processes that are short, by
--       since when (zset)
-- ARGV  1 process  2 slots it keeps whatever comes: it may use them while this call runs  3 slots it wants in all
--       4 someone waits there (0, 1)  5 the plan's limit  6 length of a lease  7 wait that a 429 asked for, -1: none
--       8 a 429 lowers the bound (0, 1)  9 number of the last reply that it saw  10 processes it knows of
--       11 Redis was away for it (0, 1)  12 channel  13 it leaves (0, 1)  14 longest hold  15 longest block
--       16 the 429 asked for more than that: at the block's end one request goes first (0, 1)  17 that request was answered (0, 1)
--       18 an operator ends the block (0, 1)
-- Reply { slots leased, bound in force, processes, rank of this one among them, others that are short, fair share, blocked for,
--         held for, number of this reply, slots leased by all, a probe is waited for (0, 1), when a block was last ended by hand }
local K, A = KEYS, ARGV
local id, kept, want, limit = A[1], tonumber(A[2]), tonumber(A[3]), tonumber(A[5])
local lease, told, hold = tonumber(A[6]), tonumber(A[7]), tonumber(A[14])
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local v = redis.call('HMGET', K[1], 'seq', 'mult', 'cut', 'grown', 'block', 'held', 'heldAt', 'known', 'probe', 'lifted')
local seq, mult, cut, grown = tonumber(v[1] or 0), tonumber(v[2] or 1), tonumber(v[3] or 0), tonumber(v[4] or now)
local block, held, heldAt, known = tonumber(v[5] or 0), tonumber(v[6] or 0), tonumber(v[7] or 0), tonumber(v[8] or 0)
local probe, lifted = tonumber(v[9] or 0), tonumber(v[10] or 0)
local function say(text) redis.call('PUBLISH', A[12], K[1] .. ' ' .. text) end

-- 1 an unknown past (state lost, set back, or gone by while this process could not ask): all tell what they hold before
--   anything beyond it is given
local back = not v[1] or seq < tonumber(A[9])
if A[13] == '0' and (back or (A[11] == '1' and now - heldAt > hold)) then
  held, heldAt, known = now + hold, now, tonumber(A[10])
  seq = math.max(seq, tonumber(A[9]))
  redis.call('DEL', K[2], K[3], K[4])
  say('lost')
elseif held > now then
  known = math.max(known, tonumber(A[10]))
end
seq = seq + 1

-- 2 who is there: a lease that has run out is free; one that has not asked for a while is not short any more
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', K[2], '-inf', now)) do
  redis.call('HDEL', K[3], gone)
  redis.call('ZREM', K[4], gone)
end
redis.call('ZREMRANGEBYSCORE', K[2], '-inf', now)
if A[13] == '1' then
  redis.call('ZREM', K[2], id)
else
  redis.call('ZADD', K[2], now + lease, id)
end
local live = redis.call('ZCARD', K[2])
if live >= known then held = math.min(held, now) end

-- 3 the bound: 10 % less after a 429; after half a minute of peace 1 % more a second. While a probe is waited for it is one
block = math.min(block, now + tonumber(A[15]))
if A[18] == '1' then block, probe, lifted = 0, 0, now end
if A[17] == '1' and probe > 0 and block <= now then
  probe = 0
  say('lost')
end
if told >= 0 then
  if A[8] == '1' and now - cut > 500 then mult = math.max(math.min(1, 1 / limit), mult * 0.9) end
  cut = now
  if now + told > block then
    block = now + told
    say('block ' .. string.format('%.0f', told))
  end
  if A[16] == '1' then probe = 1 elseif told > 0 then probe = 0 end
elseif mult < 1 and now - cut > 30000 then
  mult = math.min(1, mult + 0.01 * math.max(0, now - math.max(grown, cut + 30000)) / 1000)
end
grown = now
local bound = math.max(1, math.floor(limit * mult + 0.000001))
if probe > 0 then bound = 1 end

-- 4 what the others hold and lack
local others, rank, slots, own = 0, 0, {}, 0
local all = redis.call('HGETALL', K[3])
for i = 1, #all, 2 do
  slots[all[i]] = tonumber(all[i + 1])
  if all[i] == id then own = slots[id] else others = others + slots[all[i]] end
end
for _, name in ipairs(redis.call('ZRANGE', K[2], 0, -1)) do
  if name < id then rank = rank + 1 end
end
local short, contend = {}, {}
local wasShort = redis.call('ZSCORE', K[4], id)
for _, name in ipairs(redis.call('ZRANGE', K[4], 0, -1)) do
  local ends = redis.call('ZSCORE', K[2], name)
  if not ends or tonumber(ends) - lease < now - 1500 then
    redis.call('ZREM', K[4], name)
  else
    short[#short + 1] = name
    contend[name] = true
  end
end
contend[id] = true
for name, count in pairs(slots) do
  if count > 0 then contend[name] = true end
end
local contenders = 0
for _ in pairs(contend) do contenders = contenders + 1 end
local fair = math.floor(bound / contenders)

-- 5 its slots: what nobody else lacks; its fair part in any case; less than one each goes round in a line
local free, ahead, lack, passed, shortOthers = bound - others, 0, 0, false, 0
for _, name in ipairs(short) do
  if name == id then
    passed = true
  else
    local lacks = math.max(0, math.max(1, fair) - (slots[name] or 0))
    lack = lack + lacks
    if not passed then ahead = ahead + lacks end
    shortOthers = shortOthers + 1
  end
end
-- who has some already stands behind all that lack
if own > 0 then ahead = lack end
local given
if A[13] == '1' then
  given = 0
elseif held > now then
  given = kept
  if A[11] == '1' or kept == 0 then given = math.min(want, math.floor(bound / math.max(1, known)), free) end
elseif shortOthers == 0 then
  given = math.min(want, free)
else
  given = math.max(math.min(want, fair, free), math.min(want, math.max(1, fair), free - ahead), math.min(want, free - lack))
end
if A[13] == '0' then given = math.max(kept, given, 0) end

-- 6 who is short stands in the line, once more at its end when it got or gave something; who can have what is free is told
if A[13] == '0' and A[4] == '1' and given < want then
  if not wasShort or given ~= own then redis.call('ZADD', K[4], string.format('%.0f', clock[1] * 1000000 + clock[2]), id) end
  if not wasShort then say('short') end
else
  redis.call('ZREM', K[4], id)
end
if given > 0 then redis.call('HSET', K[3], id, given) else redis.call('HDEL', K[3], id) end
if held <= now and others + given < bound then
  local left = bound - others - given
  for _, name in ipairs(short) do
    if left <= 0 then break end
    if name ~= id then
      say('free ' .. name)
      left = left - math.max(1, fair - (slots[name] or 0))
    end
  end
end

redis.call('HSET', K[1], 'seq', seq, 'mult', string.format('%.9f', mult), 'cut', cut, 'grown', grown, 'block', block, 'held', held,
  'heldAt', heldAt, 'known', known, 'probe', probe, 'lifted', lifted)
for i = 1, 4 do redis.call('PEXPIRE', K[i], 3600000 + math.max(0, block - now)) end
return { given, bound, math.max(1, live), rank, shortOthers, fair, math.max(0, block - now), math.max(0, held - now), seq, others + given, probe, lifted }
