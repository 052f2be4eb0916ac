import { script } from '../run-script.js';

export const keepMembership = script(`
-- Asks the registry of processes that are told of revocations, and publishes an echo for the process to hear itself.
-- KEYS  1 the registry, a hash: m:<member> -> when it last asked (ms); feed, server, changed (ms)
-- ARGV  1 'look', 'join' or 'renew', 2 member id, 3 what channels begin with, 4 process id, 5 what to echo,
--       6 id of a new feed, 7 run id of the server that the process knew a registry on ('none': it knew none), 8 lease (ms),
--       9 settling time (ms), 10 life of the registry (ms)
-- Reply { feed id, 1 a member or 0, run id of the server ('': not told), what is left of the settling time (ms),
--         1 the echo was published or 0 }
local key, mode, member = KEYS[1], ARGV[1], 'm:' .. ARGV[2]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local info = redis.pcall('INFO', 'server')
local server = type(info) == 'string' and string.match(info, 'run_id:(%x+)') or ''

local feed = redis.call('HGET', key, 'feed')
if not feed then
  feed = ARGV[6]
  -- Emptied, a server has lost everything or nothing; one that took over may lack what was written last.
  local took_over = ARGV[7] ~= 'none' and (ARGV[7] ~= server or server == '')
  redis.call('HSET', key, 'feed', feed, 'server', server, 'changed', took_over and now or 0)
elseif redis.call('HGET', key, 'server') ~= server or (ARGV[7] ~= 'none' and ARGV[7] ~= server) then
  -- The second: a former master, with the registry as it left it, took over again.
  redis.call('HSET', key, 'server', server, 'changed', now)
end

local present = redis.call('HEXISTS', key, member) == 1
if mode == 'join' then
  local fields = redis.call('HGETALL', key)
  for position = 1, #fields, 2 do
    if string.sub(fields[position], 1, 2) == 'm:' and now - fields[position + 1] > tonumber(ARGV[8]) then
      redis.call('HDEL', key, fields[position])
    end
  end
end
if mode == 'join' or (mode == 'renew' and present) then
  redis.call('HSET', key, member, now)
  present = true
end
redis.call('PEXPIRE', key, ARGV[10])

local echoed = redis.pcall('PUBLISH', ARGV[3] .. feed .. ':' .. ARGV[4], ARGV[5])
local settling = tonumber(redis.call('HGET', key, 'changed')) + tonumber(ARGV[9]) - now
return { feed, present and 1 or 0, server, math.max(0, settling), type(echoed) == 'number' and 1 or 0 }
`);
