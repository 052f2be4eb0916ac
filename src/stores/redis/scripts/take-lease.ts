import { script } from '../run-script.js';

export const takeLease = script(`
-- Gives one holder at a time the right to go on.
-- KEYS  1 the lease
-- ARGV  1 now (ms), 2 holder, 3 length (ms)
-- Reply 1 taken; 0 another holder has it
local stored = redis.call('GET', KEYS[1])
if stored then
  local holder, ends = string.match(stored, '^(.*) (%d+)$')
  if holder ~= ARGV[2] and tonumber(ends) > tonumber(ARGV[1]) then return 0 end
end
local ends = string.format('%d', tonumber(ARGV[1]) + tonumber(ARGV[3]))
redis.call('SET', KEYS[1], ARGV[2] .. ' ' .. ends, 'PX', ARGV[3])
return 1
`);
