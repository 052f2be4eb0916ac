import { script } from '../run-script.js';
import { laneFunctions } from './lane.js';

export const judgeFactor = script(`
-- Judges the failure limit of a user's second factor, and uses a proof up or counts a failure.
-- KEYS  1 failures, 2 last time step accepted, 3 recovery codes used, 4 the challenge (if there is one)
-- ARGV  1 now (ms), 2 failures a day, 3 'totp', 'recovery_code' or '' (nothing matched), 4 time step or hash,
--       5 life of a challenge (ms), 6 how long used recovery codes are remembered (ms)
-- Reply {'accepted', used recovery codes...}; {'rejected', the reason}; {'answered'}: the challenge was, before;
--       {'limited', retry after (ms)}
${laneFunctions}
local now, failures_per_day, kind, proof = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], ARGV[4]

end_future(KEYS[1], now)
local _, wait = in_window(KEYS[1], failures_per_day, DAY, now)
if wait > 0 then return { 'limited', wait } end

if kind == '' then
  record_time(KEYS[1], 1, now, failures_per_day)
  return { 'rejected', 'wrong' }
end

local is_used
if kind == 'totp' then
  -- Each step once (RFC 6238, section 5.2), and none before one that was used.
  local last = redis.call('GET', KEYS[2])
  is_used = last and tonumber(proof) <= tonumber(last)
else
  is_used = redis.call('SISMEMBER', KEYS[3], proof) == 1
end
if is_used then return { 'rejected', 'replayed' } end
if KEYS[4] and redis.call('EXISTS', KEYS[4]) == 1 then return { 'answered' } end

if kind == 'totp' then
  redis.call('SET', KEYS[2], proof, 'PX', DAY)
else
  redis.call('SADD', KEYS[3], proof)
  redis.call('PEXPIRE', KEYS[3], ARGV[6])
end
if KEYS[4] then redis.call('SET', KEYS[4], '1', 'PX', ARGV[5]) end

local reply = { 'accepted' }
for _, used in ipairs(redis.call('SMEMBERS', KEYS[3])) do reply[#reply + 1] = used end
return reply
`);
