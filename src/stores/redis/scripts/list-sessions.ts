import { script } from '../run-script.js';
import { sessionFunctions } from './session.js';

export const listSessions = script(`
-- Lists a user's live sessions, and drops the dead ones.
-- KEYS  1 the user's sessions
-- ARGV  1 now (ms)
-- Reply session id, session (JSON), ...
${sessionFunctions}
local reply = {}
for _, other in ipairs(live_sessions(KEYS[1], tonumber(ARGV[1]))) do
  if not other.session.moved then
    reply[#reply + 1] = other.id
    reply[#reply + 1] = cjson.encode(other.session)
  end
end
return reply
`);
