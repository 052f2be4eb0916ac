import { script } from '../run-script.js';
import { announceFunction } from './announce.js';
import { sessionFunctions } from './session.js';

export const restoreRevocation = script(`
-- Puts a revocation back that a restart or a failover may have lost, and ends the sessions that came back with the old
-- data. One that is there for longer stays as it is, and nobody is told of it again.
-- KEYS  1 the revocation, 2 the user's sessions
-- ARGV  1 'id' or 'user', 2 id or time (ms), 3 what is left of its life (ms), 4 channel, 5 stamp
-- Reply 1 if it was put back, else 0
${sessionFunctions}${announceFunction}
local is_user = ARGV[1] == 'user'
if is_user then
  for _, one in ipairs(all_sessions(KEYS[2])) do
    if one.session.started < tonumber(ARGV[2]) then redis.call('HDEL', KEYS[2], one.id) end
  end
else
  redis.call('HDEL', KEYS[2], ARGV[2])
end

local there = redis.call('GET', KEYS[1])
local is_there = there and (not is_user or tonumber(there) >= tonumber(ARGV[2]))
if is_there and redis.call('PTTL', KEYS[1]) >= tonumber(ARGV[3]) then return 0 end
redis.call('SET', KEYS[1], not is_user and '1' or is_there and there or ARGV[2], 'PX', ARGV[3])
announce(ARGV[4], ARGV[5], { { ARGV[1], ARGV[2], ARGV[3] } })
return 1
`);
