import { script } from '../run-script.js';
import { announceFunction } from './announce.js';
import { sessionFunctions } from './session.js';

export const openSession = script(`
-- Adds a session, drops dead ones, and ends the oldest above the most that a user may have.
-- KEYS  1 the user's sessions, 2 the user's revocation, 3 revocation of no id (its text is put in front of a session id)
-- ARGV  1 now (ms), 2 session id, 3 session (JSON), 4 most sessions (0: no limit), 5 life of a revocation (ms),
--       6 when it was decided on (ms), 7 channel, 8 stamp
-- Reply {'opened', ended session ids...}; {'refused'} all of the user's sessions were revoked since that decision, or it was ended
${sessionFunctions}${announceFunction}
local now, id, most = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[4])
local session = cjson.decode(ARGV[3])
if was_revoked_since(KEYS[2], tonumber(ARGV[6])) then return { 'refused' } end
-- While it was on its way from another user key.
if redis.call('EXISTS', KEYS[3] .. id) == 1 then return { 'refused' } end

-- A session that moved away is not one of those that the user has here: it counts for nothing, and must not be ended.
local reply, live, revoked = { 'opened' }, {}, {}
for _, other in ipairs(live_sessions(KEYS[1], now)) do
  if not other.session.moved then
    if other.id == id then return reply end -- the same request again
    live[#live + 1] = other
  end
end

if most > 0 and #live >= most then
  table.sort(live, function(a, b) return a.session.started < b.session.started end)
  for position = 1, #live - most + 1 do
    local ended = live[position].id
    redis.call('HDEL', KEYS[1], ended)
    redis.call('SET', KEYS[3] .. ended, '1', 'PX', ARGV[5])
    reply[#reply + 1] = ended
    revoked[#revoked + 1] = { 'id', ended, ARGV[5] }
  end
end
write_session(KEYS[1], id, session, now)
announce(ARGV[7], ARGV[8], revoked)
return reply
`);
