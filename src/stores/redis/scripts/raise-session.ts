import { script } from '../run-script.js';
import { sessionFunctions } from './session.js';

export const raiseSession = script(`
-- Notes that a session's user has shown another factor.
-- KEYS  1 the user's sessions
-- ARGV  1 now (ms), 2 session id, 3 authentication methods
-- Reply 1 noted; 0 no such session
${sessionFunctions}
local session = read_session(KEYS[1], ARGV[2])
if not session or session.moved or not is_alive(session, tonumber(ARGV[1])) then return 0 end
session.amr = ARGV[3]
write_session(KEYS[1], ARGV[2], session, tonumber(ARGV[1]))
return 1
`);
