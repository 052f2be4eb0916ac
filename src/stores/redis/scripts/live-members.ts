import { script } from '../run-script.js';

export const liveMembers = script(`
-- Names the processes that may answer from memory, and crosses off those whose leases have ended.
-- KEYS  1 the registry (see keep-membership)
-- ARGV  1 lease (ms)
-- Reply member ids
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local fields, live = redis.call('HGETALL', KEYS[1]), {}
for position = 1, #fields, 2 do
  if string.sub(fields[position], 1, 2) == 'm:' then
    if now - fields[position + 1] > tonumber(ARGV[1]) then
      redis.call('HDEL', KEYS[1], fields[position])
    else
      live[#live + 1] = string.sub(fields[position], 3)
    end
  end
end
return live
`);
