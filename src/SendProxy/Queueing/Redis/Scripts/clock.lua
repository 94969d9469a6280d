-- The only clock of the queue: read once in each operation. No process' own clock is believed.
local clock = redis.call('TIME')
