import { script } from '../run-script.js';
import { announceFunction } from './announce.js';
import { sessionFunctions } from './session.js';

export const endAllSessions = script(`
-- Ends all sessions of a user and revokes everything that was issued until now.
-- KEYS  1 the user's sessions, 2 the user's revocation, 3 revocation of no id (its text is put in front of a session id)
-- ARGV  1 now (ms), 2 life of a revocation (ms), 3 channel, 4 stamp
-- Reply ids of the sessions that were live
${sessionFunctions}${announceFunction}
local now, ended, revoked = tonumber(ARGV[1]), {}, { { 'user', ARGV[1], ARGV[2] } }
for _, other in ipairs(live_sessions(KEYS[1], now)) do
  redis.call('SET', KEYS[3] .. other.id, '1', 'PX', ARGV[2])
  revoked[#revoked + 1] = { 'id', other.id, ARGV[2] }
  if not other.session.moved then ended[#ended + 1] = other.id end
end
redis.call('DEL', KEYS[1])
if not was_revoked_since(KEYS[2], now) then redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2]) end
announce(ARGV[3], ARGV[4], revoked)
return ended
`);
