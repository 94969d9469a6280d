-- One limit of a vendor's plan, shared by the fleet: GCRA over the theoretical arrival time `tat`. RateLimitState.cs is its twin:
-- both give the same replies. docs/decisions/0013 has the reasons. Times are microseconds of this server's clock.
-- KEYS  1 state (hash)  2 holes: slots given back, by their time (zset)  3 overdraft of the urgent reserve (zset)
--       4 processes that have someone waiting (zset)  5 processes seen lately (zset)
-- ARGV  1 process  2 slots wanted  3 someone waits (0, 1)  4 it has a ticket: its turn in the line has come (0, 1)
--       5 urgent permits wanted  6 permits used already, to be counted  7 epoch and 8 permits of a correction
--       9 wait that a 429 asked for, -1: none  10 permits a second  11 burst  12 urgent reserve  13 horizon  14 quantum  15 hold
--       16 Redis was away for it (0, 1)  17 now of its last reply, 0: none  18 time since then by its own clock
--       19 tat and 20 end of a block that it knows of  21 processes it knows of  22 channel  23 a 429 lowers the rate (0, 1)
--       24 the longest that one of them waits  25 length of the vendor's windows, 0: none are counted  26 permits of one
--       27 a time at which one has begun, seen in answers; 0: nothing new, -1: not where it was thought  28 by how much it can
--       have begun earlier  29.. slots given back
-- Reply { now, tat, level * 1000, allowance, quantum, epoch, come back in, blocked for, processes, waiting processes, held for,
--         urgent permits, multiplier * 1e6, counted in the vendor's windows (0, 1), then for each slot: delay, time }
local K, A = KEYS, ARGV
local function text(number) return string.format('%.17g', number) end
local id, want, ticket, debt = A[1], tonumber(A[2]), A[4] == '1', tonumber(A[6])
local rate, burst, reserve = tonumber(A[10]), tonumber(A[11]), tonumber(A[12])
local horizon, hold = tonumber(A[13]), tonumber(A[15])
local window, permits, said = tonumber(A[25]), tonumber(A[26]), tonumber(A[27])

local clock = redis.call('TIME')
local v = redis.call('HMGET', K[1], 'tat', 'line', 'urgent', 'share', 'mult', 'ceil', 'cut', 'throttled', 'block', 'epoch',
  'corrected', 'hold', 'grown', 'offset', 'length', 'edge', 'width', 'told', 'from', 'doubt', 'wary', 'win', 'close', 'finish', 'here', 'next',
  'even')
local fresh = not v[1]
local tat, line, urgent, share = tonumber(v[1] or 0), tonumber(v[2] or 0), tonumber(v[3] or 0), tonumber(v[4] or 0)
local mult, ceil, cut, throttled = tonumber(v[5] or 1), tonumber(v[6] or 1), tonumber(v[7] or 0), tonumber(v[8] or 0)
local block, epoch, corrected = tonumber(v[9] or 0), tonumber(v[10] or 0), tonumber(v[11] or 0)
local held, grown, offset = tonumber(v[12] or 0), tonumber(v[13] or 0), tonumber(v[14] or 0)
local length, edge, width, told = tonumber(v[15] or 0), tonumber(v[16] or 0), tonumber(v[17] or 0), tonumber(v[18] or 0)
local from, doubt, wary, win = tonumber(v[19] or 0), tonumber(v[20] or 0), tonumber(v[21] or 60000000), tonumber(v[22] or 0)
local close, finish, here = tonumber(v[23] or 0), tonumber(v[24] or 0), tonumber(v[25] or 0)
local next, even = tonumber(v[26] or 0), tonumber(v[27] or 0)

-- 1 a clock that goes on, whatever this server's does: whoever was answered before knows how long that is ago
local now = clock[1] * 1000000 + clock[2] + offset
local seen, jumped = tonumber(A[17]), false
if seen > 0 then
  local least = seen + tonumber(A[18])
  jumped = now < least - 10000 or now > least + 60000
  if now < least - 10000 or now > least + 1000000 then
    offset = offset + least - now
    now = least
  end
end

-- 2 a rate that was cut grows again: soon to just under where the vendor refused, later beyond
local last = math.max(throttled, cut)
if mult < 1 and now - last > 1000000 then
  local seconds, known = math.max(0, now - grown) / 1000000, ceil * 0.97
  if mult < known then mult = math.min(known, mult + 0.04 * seconds)
  elseif now - last > 30000000 then mult = math.min(1, mult + 0.01 * seconds) end
end
grown = now

-- 3 the vendor's own windows: one begins between `edge` - `width` and `edge`, and so on each `length`. In force from the next
--   one on, as long as somebody sees it again; not where permits went out uncounted. What is seen of an edge holds from the
--   next window on: this one's permits are counted from `win` on, and its end is from `close` to `finish`
if window <= 0 or window ~= length or jumped or fresh or A[16] == '1' or held > now then
  edge, length = 0, window
elseif said < 0 then
  edge, doubt = 0, now + wary
elseif said > 0 and now >= doubt then
  local wide, off = tonumber(A[28]), said - edge
  off = off - math.floor(off / window + 0.5) * window
  if edge == 0 then
    finish = said + (math.floor((now - said) / window) + 1) * window
    close, win, here, next, even = finish - wide, finish - window, 0, 0, 0
    from = finish
    if close <= now then from = finish + window end
    edge, width, told = said, wide, now
  elseif off > wide or off < -width then
    edge, doubt = 0, now + wary
  else
    edge, width, told = said, wide, now
  end
end
local phased = false
if edge > 0 then
  if now >= finish then
    local last = finish
    finish = edge + (math.floor((now - edge) / window) + 1) * window
    if finish < last + window / 2 then finish = finish + window end
    win, here = last, next
    if finish > last + window * 1.5 then win, here = finish - window, 0 end
    close, next = finish - width, 0
  end
  if win - told > 5 * window then edge = 0 end
  phased = edge > 0 and win > from - window / 2
end
local plain = rate
if phased then rate = permits * 1000000 / window end
local step = 1000000 / (rate * mult)
local tolerance = (burst - 1) * step

-- 4 an unknown past is a full use of the plan: empty bucket, and no grant before the hold ends, while all keep to their share
if (fresh or A[16] == '1') and hold > 0 and now - held > 2000000 then
  held = now + hold
  tat = math.max(tat, held + burst * step)
end
tat, block = math.max(tat, tonumber(A[19])), math.max(block, tonumber(A[20]))
if block > now then tat = math.max(tat, block + tolerance) end

-- 5 who is there
redis.call('ZADD', K[5], text(now), id)
redis.call('ZREMRANGEBYSCORE', K[5], '-inf', text(now - 3000000))
redis.call('ZREMRANGEBYSCORE', K[4], '-inf', text(now - 1000000))
if A[3] == '1' then redis.call('ZADD', K[4], text(now), id) else redis.call('ZREM', K[4], id) end
local live = math.max(redis.call('ZCARD', K[5]), tonumber(A[21]))
local active = math.max(1, redis.call('ZCARD', K[4]))

-- 6 what the vendor says it has left, against what we thought: once an epoch
local off = tonumber(A[8])
if off ~= 0 and tonumber(A[7]) == epoch then
  local seconds = (now - corrected) / 1000000
  corrected, epoch = now, epoch + 1
  if off > 0 then
    tat = math.max(tat, now) + off * step
    if seconds < 3 then
      mult = math.max(0.05, mult * (1 - math.min(0.15, off / (rate * math.max(1, seconds)))))
      cut, ceil = now, mult / 0.97
    end
  elseif mult < 1 then
    mult = math.min(1, mult + math.min(0.05 * math.min(1, seconds), 0.5 * -off / (rate * math.max(0.5, seconds))))
  end
end

-- 7 a 429: nobody sends before its end, and the bucket is empty then
local refused = tonumber(A[9])
if refused >= 0 then
  throttled, epoch = now, epoch + 1
  edge, doubt = 0, now + wary
  if phased then wary, rate, phased = math.min(3600000000, wary * 2), plain, false end
  if A[23] == '1' and now - cut > 500000 then cut, ceil, mult = now, mult, math.max(0.05, mult * 0.9) end
  if now + refused > block then
    block = now + refused
    redis.call('PUBLISH', A[22], K[1] .. ' ' .. string.format('%.0f', refused))
  end
end
step = 1000000 / (rate * mult)
tolerance = (burst - 1) * step
if refused >= 0 and block > now then
  tat = math.max(tat, block + tolerance)
  redis.call('DEL', K[2])
end

-- 8 counting in them, by a permit's own time. From `close` to `finish` the next one may have begun already: what goes out evenly
--   there counts for neither, all else for both. So no window holds more than `permits`, wherever in it the edge lies
local most, coming = permits * (close - win) / math.max(1, window), permits - permits * width / math.max(1, window)
local function fit(at)
  if not phased then return at end
  if at < close then
    if here < most then return at end
    at = close
  end
  if at < finish then
    if even <= at + 2 * step or (here < most and next < coming) then return at end
    if even - 2 * step < finish then return even - 2 * step end
    at = finish
  end
  if next < coming then return at end
  return close + window
end
local function take(at, n)
  if edge == 0 then return end
  if at < close then here = here + n
  elseif at >= finish then next = next + n
  else
    even = math.max(even, at)
    local free = math.max(0, math.min(n, math.floor((at + 2 * step - even) / step + 0.001) + 1))
    even = even + free * step
    here, next = here + n - free, next + n - free
  end
end
-- a slot that was given back counts again where an edge may lie between its time and its use
local function reusable(at)
  if not phased or at >= now or (at >= win and now < close) then return true end
  if fit(now) > now then return false end
  take(now, 1)
  return true
end

-- 9 permits used already always count; slots given back keep their time
if debt ~= 0 then tat = math.max(tat, now) + debt * step end
if debt > 0 then take(now, debt) end
for i = 29, #A do redis.call('ZADD', K[2], A[i], A[i] .. ':' .. id .. ':' .. i) end
redis.call('ZREMRANGEBYSCORE', K[2], '-inf', text(now - horizon))

-- 10 the urgent: what is there, a hole, what was put aside for them, or the reserve
local given = 0
if block <= now and held <= now then
  for _ = 1, tonumber(A[5]) do
    share = math.min(0.5, share + (1 - share) * 0.01)
    local hole = redis.call('ZRANGE', K[2], 0, 0, 'WITHSCORES')
    local open = fit(now) <= now
    if open and tat - tolerance <= now then
      tat = math.max(tat, now) + step
      take(now, 1)
      given = given + 1
    elseif hole[2] and tonumber(hole[2]) < now + 5000 then
      redis.call('ZREM', K[2], hole[1])
      if reusable(tonumber(hole[2])) then given = given + 1 end
    elseif not open then
      break
    elseif urgent >= 1 then
      urgent = urgent - 1
      take(now, 1)
      given = given + 1
    else
      redis.call('ZREMRANGEBYSCORE', K[3], '-inf', text(now))
      if redis.call('ZCARD', K[3]) >= reserve then break end
      redis.call('ZADD', K[3], text(tat - tolerance), text(tat - tolerance) .. ':' .. id)
      tat = tat + step
      take(now, 1)
      given = given + 1
    end
  end
end

-- 11 slots, at their time; beyond the horizon a time to come back, in a line
local quantum = math.max(1, math.floor(rate * mult * tonumber(A[14]) / 1000000 / active))
local slots, come = {}, 0
if want > 0 then
  want = math.min(want, quantum)
  if block > now then
    come = block - now
  else
    local at = math.max(tat, now)
    if ticket or at - tolerance <= now or line <= now + horizon then
      while #slots < want do
        local hole = redis.call('ZPOPMIN', K[2])
        if hole[1] then
          if reusable(tonumber(hole[2])) then slots[#slots + 1] = tonumber(hole[2]) end
        else
          local slot = at - tolerance
          local fits = fit(math.max(slot, now))
          if fits > math.max(slot, now) then
            slot = fits
            at = fits + tolerance
          end
          if slot > now + horizon then break end
          slots[#slots + 1] = slot
          take(math.max(slot, now), 1)
          local aside = share / (1 - share)
          if slot > now and urgent + aside <= reserve then
            at = at + step / (1 - share)
            urgent = urgent + aside
          else
            at = at + step
          end
          share = share * 0.99
        end
      end
      tat = at
    end
    if #slots == 0 then
      -- a place in the line is only for who will be there
      local place = math.max(line, at - tolerance, now) + step * (want - 1)
      come = math.max(1000, place - horizon - now)
      if come <= tonumber(A[24]) then line = place + step end
    end
  end
end

-- 12 what may be sent before it is told: a part of what is there, the less of it the more there are
local level = burst - math.max(0, tat - now) / step
local part = 0.25
if live <= 1 then part = 1 elseif live <= 3 then part = 0.5 end
local free = level
if phased then
  free = math.min(free, most - here)
  if now >= close then free = math.min(free, coming - next) end
end
local allowance = math.floor(part * math.max(0, free) / live)
if allowance < 1 and free >= 1 and live <= 4 * free then allowance = 1 end
if block > now or held > now then allowance = 0 end

redis.call('HSET', K[1], 'tat', text(tat), 'line', text(line), 'urgent', text(urgent), 'share', text(share), 'mult', text(mult),
  'ceil', text(ceil), 'cut', text(cut), 'throttled', text(throttled), 'block', text(block), 'epoch', text(epoch),
  'corrected', text(corrected), 'hold', text(held), 'grown', text(grown), 'offset', text(offset),
  'length', text(length), 'edge', text(edge), 'width', text(width), 'told', text(told), 'from', text(from), 'doubt', text(doubt),
  'wary', text(wary), 'win', text(win), 'close', text(close), 'finish', text(finish), 'here', text(here), 'next', text(next), 'even', text(even))
local keep = string.format('%.0f', 3600000 + math.max(0, math.max(tat, block) - now) / 1000)
for i = 1, 5 do redis.call('PEXPIRE', K[i], keep) end
local reply = { math.floor(now), math.floor(tat), math.floor(level * 1000), allowance, quantum, epoch, math.ceil(come),
  math.max(0, math.ceil(block - now)), live, active, math.max(0, math.ceil(held - now)), given, math.floor(mult * 1000000), phased and 1 or 0 }
for _, slot in ipairs(slots) do
  reply[#reply + 1] = math.max(0, math.ceil(slot - now))
  reply[#reply + 1] = math.ceil(slot)
end
return reply
