-- One GCRA call to Redis for each request. Redis away: the request goes on (as SendProxy's does).
local redis = require("nginx.redis")
redis.add_commands("evalsha", "eval")

local M = {}
local host, port, script, digest, interval, burst

function M.setup(redis_host, redis_port, file, rate)
  host, port = redis_host, redis_port
  local f = assert(io.open(file))
  script = f:read("*a")
  f:close()
  digest = nil
  interval = 1e6 / rate
  burst = rate
end

function M.check(key)
  if not digest then
    digest = ngx.sha1_bin(script):gsub(".", function(c) return string.format("%02x", c:byte()) end)
  end
  local red = redis:new()
  red:set_timeout(50)
  if not red:connect(host, port, { pool_size = 100 }) then
    return
  end
  local wait, err = red:evalsha(digest, 1, key, interval, burst)
  if not wait and err and err:find("NOSCRIPT", 1, true) then
    wait, err = red:eval(script, 1, key, interval, burst)
  end
  if not wait then
    return
  end
  red:set_keepalive(10000, 100)
  if tonumber(wait) > 0 then
    ngx.header["Retry-After"] = math.ceil(wait / 1e6)
    return ngx.exit(429)
  end
end

return M
