-- One rate limit of a vendor's plan, shared by the fleet: GCRA over the theoretical arrival time `tat`. RateLimitState.cs is its
-- twin: both give the same reply to the same call. docs/decisions/0013 has the reasons. Times are microseconds of this server's
-- clock. Constants: RateLimitConstants.cs has the same, and a test compares them.
-- KEYS  1 state (hash)  2 holes: slots that were given back, by their time (zset)  3 overdraft of the urgent reserve (zset)
--       4 processes that have someone waiting (zset)  5 processes seen lately (zset)
-- ARGV and reply: see step 0 and the last lines.
local HORIZON = 100000                  -- slots are sold so far ahead
local QUANTUM = 100000                  -- one call gets slots for at most so long, divided by those who wait
local HOLD = 400000                     -- after a loss of state nobody is granted anything for so long
local HOLD_AGAIN_AFTER = 2000000        -- losses that come together are one
local CLOCK_BACK = 10000                -- a clock that is further behind than this is put right
local CLOCK_AHEAD = 1000000             -- and one that is further ahead than this
local CLOCK_JUMP = 60000                -- a smaller step of the clock ends only the counting in windows
local GROW_AFTER = 1000000              -- a rate that was cut grows again after so long
local GROW_PER_SECOND = 0.04            -- up to just below the ceiling
local CEILING_SHARE = 0.97
local PEACE = 30000000                  -- and beyond the ceiling after so long without a refusal
local GROW_IN_PEACE_PER_SECOND = 0.01
local SEEN_FOR = 3000000                -- a process that was not heard of for so long is gone
local WAITING_FOR = 1000000             -- and one that did not ask for so long has nobody waiting
local MULTIPLIER_LEAST = 0.05
local CORRECTION_TOGETHER_SECONDS = 3   -- corrections closer than this say that the rate is too high
local CORRECTION_MOST = 0.15            -- one correction lowers the rate by so much at most
local RAISE_PER_SECOND = 0.05
local RAISE_SHARE = 0.5
local RAISE_LEAST_SECONDS = 0.5
local CUT_TOGETHER = 500000             -- of refusals closer than this one cuts
local CUT = 0.9
local DISTRUST_FIRST = 60000000         -- after a refusal the vendor's windows are not counted in for so long
local DISTRUST_MOST = 3600000000
local WINDOWS_UNSEEN = 5                -- windows whose beginning nobody saw for so many are forgotten
local EVEN_STEPS = 2                    -- a permit about a boundary goes out evenly when it is at most so many steps early
local PROBE_WAIT = 10000000             -- a probe that is not answered is followed by another after so long
local URGENT_SHARE_MOST = 0.5           -- the part of the slots sold that is put aside for the urgent
local URGENT_SHARE_GROWTH = 0.01
local URGENT_SHARE_DECAY = 0.99
local HOLE_SOON = 5000                  -- an urgent one takes a hole that is due within this
local COME_BACK_LEAST = 1000
local PERMITS_FOR_ONE_EACH = 4          -- everybody may send one before asking, while there are at most so many for each permit
local KEEP_MILLISECONDS = 3600000       -- the state is kept for so long after it was last of use

-- 0 the call
local K, A = KEYS, ARGV
local process = A[1]
local want = tonumber(A[2])                       -- slots
local someone_waits = A[3] == '1'
local has_ticket = A[4] == '1'                    -- its turn in the line has come
local urgent_wanted = tonumber(A[5])
local debt = tonumber(A[6])                       -- permits used already, to be counted
local correction_epoch = tonumber(A[7])
local correction = tonumber(A[8])                 -- permits that the vendor has less (positive) or more than was thought
local throttled_for = tonumber(A[9])              -- wait that a 429 asked for, -1: none
local rate, burst, reserve = tonumber(A[10]), tonumber(A[11]), tonumber(A[12])
local was_away = A[13] == '1'                     -- Redis did not answer it before
local seen_now, seen_since = tonumber(A[14]), tonumber(A[15])   -- now of its last reply (0: none), and how long that is ago
local seen_tat, seen_block = tonumber(A[16]), tonumber(A[17])
local known_live = tonumber(A[18])                -- processes that it knows of
local learns = A[19] == '1'                       -- a 429 lowers the rate
local patience = tonumber(A[20])                  -- the longest that one of those waits
local window_length, window_permits = tonumber(A[21]), tonumber(A[22])   -- the vendor's windows, 0: none are counted
local boundary, boundary_width = tonumber(A[23]), tonumber(A[24])        -- one has begun then (0: nothing new, -1: elsewhere), or so much earlier
local longest_block = tonumber(A[25])             -- no block lasts longer from now on
local is_capped = A[26] == '1'                    -- the 429 asked for more than that: at the block's end one probe goes first
local probe_answered = tonumber(A[27])            -- 1: the vendor took the probe, 0: the probe was not sent, -1: nothing to tell
local unblocks = A[28] == '1'                     -- an operator ends the block
local first_cost = tonumber(A[29])                -- permits that the next who waits needs
local channel = A[30]
local FIRST_RETURNED = 31                         -- from here on: slots that are given back

local function text(number) return string.format('%.17g', number) end
local clock = redis.call('TIME')
local FIELDS = { 'tat', 'line', 'urgent', 'share', 'mult', 'ceil', 'cut', 'throttled', 'block', 'epoch', 'corrected', 'hold', 'grown', 'offset',
  'length', 'edge', 'width', 'told', 'from', 'doubt', 'wary', 'win', 'close', 'finish', 'here', 'next', 'even', 'probe', 'lifted' }
local stored = redis.call('HMGET', K[1], unpack(FIELDS))
local is_fresh = not stored[1]
local s = {}
for i, field in ipairs(FIELDS) do s[field] = tonumber(stored[i] or 0) end
local multiplier, ceiling = tonumber(stored[5] or 1), tonumber(stored[6] or 1)
local distrust = tonumber(stored[21] or DISTRUST_FIRST)
local tat, line, block, epoch, held = s.tat, s.line, s.block, s.epoch, s.hold

-- 1 a clock that goes on, whatever this server's does: whoever was answered before knows how long that is ago
local now = clock[1] * 1000000 + clock[2] + s.offset
local has_jumped = false
if seen_now > 0 then
  local least = seen_now + seen_since
  has_jumped = now < least - CLOCK_BACK or now > least + CLOCK_JUMP
  if now < least - CLOCK_BACK or now > least + CLOCK_AHEAD then
    s.offset = s.offset + least - now
    now = least
  end
end

-- 2 a rate that was cut grows again: soon to just under where the vendor refused, later beyond
local last_refusal = math.max(s.throttled, s.cut)
if multiplier < 1 and now - last_refusal > GROW_AFTER then
  local seconds, known = math.max(0, now - s.grown) / 1000000, ceiling * CEILING_SHARE
  if multiplier < known then multiplier = math.min(known, multiplier + GROW_PER_SECOND * seconds)
  elseif now - last_refusal > PEACE then multiplier = math.min(1, multiplier + GROW_IN_PEACE_PER_SECOND * seconds) end
end
s.grown = now

-- 3 the vendor's own windows: one begins between `edge` - `width` and `edge`, and so on each `length`. In force from the next
--   one on, as long as somebody sees it again; not where permits went out uncounted. What is seen of a boundary holds from the
--   next window on: this one's permits are counted from `win` on, and its end is from `close` to `finish`
if window_length <= 0 or window_length ~= s.length or has_jumped or is_fresh or was_away or held > now then
  s.edge, s.length = 0, window_length
elseif boundary < 0 then
  s.edge, s.doubt = 0, now + distrust
elseif boundary > 0 and now >= s.doubt then
  local wide, off = boundary_width, boundary - s.edge
  off = off - math.floor(off / window_length + 0.5) * window_length
  if s.edge == 0 then
    s.finish = boundary + (math.floor((now - boundary) / window_length) + 1) * window_length
    s.close, s.win, s.here, s.next, s.even = s.finish - wide, s.finish - window_length, 0, 0, 0
    s.from = s.finish
    if s.close <= now then s.from = s.finish + window_length end
    s.edge, s.width, s.told = boundary, wide, now
  elseif off > wide or off < -s.width then
    s.edge, s.doubt = 0, now + distrust
  else
    s.edge, s.width, s.told = boundary, wide, now
  end
end
local in_window = false
if s.edge > 0 then
  if now >= s.finish then
    local last = s.finish
    s.finish = s.edge + (math.floor((now - s.edge) / window_length) + 1) * window_length
    if s.finish < last + window_length / 2 then s.finish = s.finish + window_length end
    s.win, s.here = last, s.next
    if s.finish > last + window_length * 1.5 then s.win, s.here = s.finish - window_length, 0 end
    s.close, s.next = s.finish - s.width, 0
  end
  if s.win - s.told > WINDOWS_UNSEEN * window_length then s.edge = 0 end
  in_window = s.edge > 0 and s.win > s.from - window_length / 2
end
local plain_rate = rate
if in_window then rate = window_permits * 1000000 / window_length end
local step = 1000000 / (rate * multiplier)
local tolerance = (burst - 1) * step

-- 4 an unknown past is a full use of the plan: empty bucket, and no grant before the hold ends, while all keep to their share.
--   What a process saw before an operator ended the block is out of date
if (is_fresh or was_away) and HOLD > 0 and now - held > HOLD_AGAIN_AFTER then
  held = now + HOLD
  tat = math.max(tat, held + burst * step)
end
if seen_now >= s.lifted then tat, block = math.max(tat, seen_tat), math.max(block, seen_block) end
if block > now + longest_block then
  block = now + longest_block
  tat = math.min(tat, block + tolerance)
end
if unblocks then
  block, s.probe, s.lifted = 0, 0, now
  tat = math.min(tat, now + tolerance)
end
if block > now then tat = math.max(tat, block + tolerance) end

-- 5 who is there
redis.call('ZADD', K[5], text(now), process)
redis.call('ZREMRANGEBYSCORE', K[5], '-inf', text(now - SEEN_FOR))
redis.call('ZREMRANGEBYSCORE', K[4], '-inf', text(now - WAITING_FOR))
if someone_waits then redis.call('ZADD', K[4], text(now), process) else redis.call('ZREM', K[4], process) end
local live = math.max(redis.call('ZCARD', K[5]), known_live)
local active = math.max(1, redis.call('ZCARD', K[4]))

-- 6 what the vendor says it has left, against what we thought: once an epoch
if correction ~= 0 and correction_epoch == epoch then
  local seconds = (now - s.corrected) / 1000000
  s.corrected, epoch = now, epoch + 1
  if correction > 0 then
    tat = math.max(tat, now) + correction * step
    if seconds < CORRECTION_TOGETHER_SECONDS then
      multiplier = math.max(MULTIPLIER_LEAST, multiplier * (1 - math.min(CORRECTION_MOST, correction / (rate * math.max(1, seconds)))))
      s.cut, ceiling = now, multiplier / CEILING_SHARE
    end
  elseif multiplier < 1 then
    multiplier = math.min(1, multiplier + math.min(RAISE_PER_SECOND * math.min(1, seconds), RAISE_SHARE * -correction / (rate * math.max(RAISE_LEAST_SECONDS, seconds))))
  end
end

-- 7 a 429: nobody sends before its end, and the bucket is empty then. After one that asked for more than is waited, one probe
--   goes first; a probe that was refused without a wait is followed by another, and one that the vendor took ends the probing
if throttled_for >= 0 then
  s.throttled, epoch = now, epoch + 1
  s.edge, s.doubt = 0, now + distrust
  if in_window then distrust, rate, in_window = math.min(DISTRUST_MOST, distrust * 2), plain_rate, false end
  if learns and now - s.cut > CUT_TOGETHER then s.cut, ceiling, multiplier = now, multiplier, math.max(MULTIPLIER_LEAST, multiplier * CUT) end
  if now + throttled_for > block then
    block = now + throttled_for
    redis.call('PUBLISH', channel, K[1] .. ' ' .. string.format('%.0f', throttled_for))
  end
  if is_capped then s.probe = block
  elseif s.probe > 0 and throttled_for == 0 then s.probe = now + PROBE_WAIT
  else s.probe = 0 end
elseif s.probe > 0 and block <= now and probe_answered == 1 then
  s.probe = 0
  redis.call('PUBLISH', channel, K[1] .. ' probed')
elseif s.probe > now and block <= now and probe_answered == 0 then
  s.probe = now
end
local is_probing = s.probe > 0
step = 1000000 / (rate * multiplier)
tolerance = (burst - 1) * step
if throttled_for >= 0 and block > now then
  tat = math.max(tat, block + tolerance)
  redis.call('DEL', K[2])
end

-- 8 counting in the vendor's windows, by a permit's own time. From `close` to `finish` the next one may have begun already: what
--   goes out evenly there counts for neither, all else for both. So no window holds more than `window_permits`, wherever in it
--   the boundary lies
local here_most = window_permits * (s.close - s.win) / math.max(1, window_length)
local next_most = window_permits - window_permits * s.width / math.max(1, window_length)
local function fit(at)
  if not in_window then return at end
  if at < s.close then
    if s.here < here_most then return at end
    at = s.close
  end
  if at < s.finish then
    if s.even <= at + EVEN_STEPS * step or (s.here < here_most and s.next < next_most) then return at end
    if s.even - EVEN_STEPS * step < s.finish then return s.even - EVEN_STEPS * step end
    at = s.finish
  end
  if s.next < next_most then return at end
  return s.close + window_length
end
local function take(at, permits)
  if s.edge == 0 then return end
  if at < s.close then s.here = s.here + permits
  elseif at >= s.finish then s.next = s.next + permits
  else
    s.even = math.max(s.even, at)
    local free = math.max(0, math.min(permits, math.floor((at + EVEN_STEPS * step - s.even) / step + 0.001) + 1))
    s.even = s.even + free * step
    s.here, s.next = s.here + permits - free, s.next + permits - free
  end
end
-- a slot that was given back counts again where a boundary may lie between its time and its use
local function is_reusable(at)
  if not in_window or at >= now or (at >= s.win and now < s.close) then return true end
  if fit(now) > now then return false end
  take(now, 1)
  return true
end

-- 9 permits used already always count; slots given back keep their time
if debt ~= 0 then tat = math.max(tat, now) + debt * step end
if debt > 0 then take(now, debt) end
for i = FIRST_RETURNED, #A do redis.call('ZADD', K[2], A[i], A[i] .. ':' .. process .. ':' .. i) end
redis.call('ZREMRANGEBYSCORE', K[2], '-inf', text(now - HORIZON))

-- 10 the urgent: what is there, a hole, what was put aside for them, or the reserve
local urgent_given = 0
if block <= now and held <= now and not is_probing then
  for _ = 1, urgent_wanted do
    s.share = math.min(URGENT_SHARE_MOST, s.share + (1 - s.share) * URGENT_SHARE_GROWTH)
    local hole = redis.call('ZRANGE', K[2], 0, 0, 'WITHSCORES')
    local is_open = fit(now) <= now
    if is_open and tat - tolerance <= now then
      tat = math.max(tat, now) + step
      take(now, 1)
      urgent_given = urgent_given + 1
    elseif hole[2] and tonumber(hole[2]) < now + HOLE_SOON then
      redis.call('ZREM', K[2], hole[1])
      if is_reusable(tonumber(hole[2])) then urgent_given = urgent_given + 1 end
    elseif not is_open then
      break
    elseif s.urgent >= 1 then
      s.urgent = s.urgent - 1
      take(now, 1)
      urgent_given = urgent_given + 1
    else
      redis.call('ZREMRANGEBYSCORE', K[3], '-inf', text(now))
      if redis.call('ZCARD', K[3]) >= reserve then break end
      redis.call('ZADD', K[3], text(tat - tolerance), text(tat - tolerance) .. ':' .. process)
      tat = tat + step
      take(now, 1)
      urgent_given = urgent_given + 1
    end
  end
end

-- 11 slots, at their time; beyond the horizon a time to come back, in a line. While it is probed, those of one request at a time
local quantum = math.max(1, math.floor(rate * multiplier * QUANTUM / 1000000 / active))
local slots, come_back = {}, 0
if want > 0 then
  want = math.min(want, quantum)
  if block > now then
    come_back = block - now
  elseif is_probing then
    if held > now or now < s.probe then
      come_back = math.max(COME_BACK_LEAST, math.max(held, s.probe) - now)
    else
      for i = 1, math.max(1, first_cost) do slots[i] = now end
      tat = math.max(tat, now) + #slots * step
      take(now, #slots)
      s.probe = now + PROBE_WAIT
    end
  else
    local at = math.max(tat, now)
    if has_ticket or at - tolerance <= now or line <= now + HORIZON then
      while #slots < want do
        local hole = redis.call('ZPOPMIN', K[2])
        if hole[1] then
          if is_reusable(tonumber(hole[2])) then slots[#slots + 1] = tonumber(hole[2]) end
        else
          local slot = at - tolerance
          local fits = fit(math.max(slot, now))
          if fits > math.max(slot, now) then
            slot = fits
            at = fits + tolerance
          end
          if slot > now + HORIZON then break end
          slots[#slots + 1] = slot
          take(math.max(slot, now), 1)
          local aside = s.share / (1 - s.share)
          if slot > now and s.urgent + aside <= reserve then
            at = at + step / (1 - s.share)
            s.urgent = s.urgent + aside
          else
            at = at + step
          end
          s.share = s.share * URGENT_SHARE_DECAY
        end
      end
      tat = at
    end
    if #slots == 0 then
      -- a place in the line is only for who will be there
      local place = math.max(line, at - tolerance, now) + step * (want - 1)
      come_back = math.max(COME_BACK_LEAST, place - HORIZON - now)
      if come_back <= patience then line = place + step end
    end
  end
end

-- 12 what may be sent before it is told: a part of what is there, the less of it the more there are
local level = burst - math.max(0, tat - now) / step
local part = 0.25
if live <= 1 then part = 1 elseif live <= 3 then part = 0.5 end
local free = level
if in_window then
  free = math.min(free, here_most - s.here)
  if now >= s.close then free = math.min(free, next_most - s.next) end
end
local allowance = math.floor(part * math.max(0, free) / live)
if allowance < 1 and free >= 1 and live <= PERMITS_FOR_ONE_EACH * free then allowance = 1 end
if block > now or held > now or is_probing then allowance = 0 end

-- 13 the state and the reply
s.tat, s.line, s.block, s.epoch, s.hold, s.mult, s.ceil, s.wary = tat, line, block, epoch, held, multiplier, ceiling, distrust
local pairs_to_store = {}
for _, field in ipairs(FIELDS) do
  pairs_to_store[#pairs_to_store + 1] = field
  pairs_to_store[#pairs_to_store + 1] = text(s[field])
end
redis.call('HSET', K[1], unpack(pairs_to_store))
local keep = string.format('%.0f', KEEP_MILLISECONDS + math.max(0, math.max(tat, block) - now) / 1000)
for i = 1, 5 do redis.call('PEXPIRE', K[i], keep) end
local reply = {
  math.floor(now),
  math.floor(tat),
  math.floor(level * 1000),                    -- permits left, in thousandths
  allowance,                                   -- may be sent before it is told
  quantum,                                     -- the most slots that a call gets
  epoch,
  math.ceil(come_back),                        -- with no slots: the turn of this process is then
  math.max(0, math.ceil(block - now)),         -- nobody sends for so long
  live,
  active,                                      -- processes that have someone waiting
  math.max(0, math.ceil(held - now)),          -- each process keeps to its share for so long
  urgent_given,
  math.floor(multiplier * 1000000),
  in_window and 1 or 0,
  is_probing and 1 or 0,
  math.floor(s.lifted),                        -- when an operator last ended a block
}
for _, slot in ipairs(slots) do                -- then for each slot: in how long, and its time
  reply[#reply + 1] = math.max(0, math.ceil(slot - now))
  reply[#reply + 1] = math.ceil(slot)
end
return reply
