import { script } from '../run-script.js';

export const crossOffMembers = script(`
-- Takes members out of the registry: they find out when they ask again, and until they have joined anew they ask Redis.
-- KEYS  1 the registry (see keep-membership)
-- ARGV  member ids; none: all of them
-- Reply how many there were
local count = 0
if #ARGV > 0 then
  for _, member in ipairs(ARGV) do count = count + redis.call('HDEL', KEYS[1], 'm:' .. member) end
  return count
end
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.sub(field, 1, 2) == 'm:' then count = count + redis.call('HDEL', KEYS[1], field) end
end
return count
`);
