import { script } from '../run-script.js';
import { announceFunction } from './announce.js';
import { sessionFunctions } from './session.js';

export const rotateSession = script(`
-- Replaces a session's refresh token; repeats the successor within the grace time; ends the session on reuse.
-- KEYS  1 the user's sessions, 2 the session's revocation, 3 the user's revocation
-- ARGV  1 now (ms), 2 session id, 3 presented refresh id, 4 next refresh id, 5 grace (ms), 6 idle life (ms),
--       7 life of a revocation (ms), 8 '1' if the session moves to another user key, 9 channel, 10 stamp
-- Reply {'rotated' or 'repeated', refresh id, session (JSON)}; {'reused'}; {'ended'}
${sessionFunctions}${announceFunction}
local now, id, presented = tonumber(ARGV[1]), ARGV[2], ARGV[3]
local session = read_session(KEYS[1], id)
if not session then return { 'ended' } end
-- Revoked, and here all the same: Redis came back with older data than it had.
local is_revoked = redis.call('EXISTS', KEYS[2]) == 1 or was_revoked_since(KEYS[3], session.started)
if is_revoked or not is_alive(session, now) then
  redis.call('HDEL', KEYS[1], id)
  return { 'ended' }
end

if presented == session.refresh and not session.moved then
  session.previous, session.refresh, session.rotated = presented, ARGV[4], now
  session.used, session.expires = now, math.min(now + tonumber(ARGV[6]), session.ends)
  if ARGV[8] == '1' then session.moved = true end
  write_session(KEYS[1], id, session, now)
  return { 'rotated', session.refresh, cjson.encode(session) }
end
-- Either way: one server's clock may be a little behind another's, but one that was set back gives no more time.
if presented == session.previous and math.abs(now - session.rotated) < tonumber(ARGV[5]) then
  return { 'repeated', session.refresh, cjson.encode(session) }
end

redis.call('HDEL', KEYS[1], id)
redis.call('SET', KEYS[2], '1', 'PX', ARGV[7])
announce(ARGV[9], ARGV[10], { { 'id', id, ARGV[7] } })
return { 'reused' }
`);
