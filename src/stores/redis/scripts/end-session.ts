import { script } from '../run-script.js';
import { announceFunction } from './announce.js';
import { sessionFunctions } from './session.js';

export const endSession = script(`
-- Ends a session and revokes its access tokens, known or not: a token may outlive the record of its session.
-- KEYS  1 the user's sessions, 2 the session's revocation, 3 an access token's revocation (if there is one)
-- ARGV  1 session id, 2 life of a revocation (ms), 3 channel, 4 stamp, 5 the access token's id, 6 what is left of its life (ms)
-- Reply 1 there was such a session; 0 there was none
${sessionFunctions}${announceFunction}
local session = read_session(KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('SET', KEYS[2], '1', 'PX', ARGV[2])
local revoked = { { 'id', ARGV[1], ARGV[2] } }
if KEYS[3] then
  redis.call('SET', KEYS[3], '1', 'PX', ARGV[6])
  revoked[2] = { 'id', ARGV[5], ARGV[6] }
end
announce(ARGV[3], ARGV[4], revoked)
return session and not session.moved and 1 or 0
`);
