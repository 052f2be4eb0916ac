import { script } from '../run-script.js';
import { announceFunction } from './announce.js';

export const restoreRevocation = script(`
-- Puts a revocation back that a restart or a failover may have lost. One that is there for longer stays as it is.
-- KEYS  1 the revocation
-- ARGV  1 'id' or 'user', 2 id or time (ms), 3 what is left of its life (ms), 4 channel, 5 stamp
-- Reply 1
${announceFunction}
local value = ARGV[1] == 'user' and ARGV[2] or '1'
local there = redis.call('GET', KEYS[1])
if not there or (ARGV[1] == 'user' and tonumber(there) < tonumber(value)) then
  redis.call('SET', KEYS[1], value, 'PX', ARGV[3])
elseif redis.call('PTTL', KEYS[1]) < tonumber(ARGV[3]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
announce(ARGV[4], ARGV[5], { { ARGV[1], ARGV[2], ARGV[3] } })
return 1
`);
