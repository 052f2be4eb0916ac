import { script } from '../run-script.js';
import { laneFunctions } from './lane.js';

export const countSms = script(`
-- Judges the limit on messages of the whole system and a group's conversion, and counts a message.
-- KEYS  1 messages sent, 2 the group's messages, 3 the group's codes typed in, 4 the group's pause
-- ARGV  1 now (ms), 2 messages an hour, 3 window (ms), 4 least messages to judge by, 5 least share typed in, 6 pause (ms), 7 message id
-- Reply {'counted'}; {'limited' or 'paused' or 'paused_now', retry after (ms)}
${laneFunctions}
local now, per_hour, window = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local least, share, pause = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])

local paused_until = tonumber(redis.call('GET', KEYS[4]) or 0)
if paused_until > now then return { 'paused', math.min(paused_until - now, pause) } end

-- The sums of a sorted set's times within the window; older ones are dropped.
local function count(key)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now - window)
  return redis.call('ZCARD', key)
end
local sent = count(KEYS[2])
if sent >= least and count(KEYS[3]) < sent * share then
  redis.call('SET', KEYS[4], string.format('%d', now + pause), 'PX', ARGV[6])
  -- What led to the pause is not held against the group when it ends.
  redis.call('DEL', KEYS[2], KEYS[3])
  return { 'paused_now', pause }
end

end_future(KEYS[1], now)
local _, wait = in_window(KEYS[1], per_hour, HOUR, now)
if wait > 0 then return { 'limited', wait } end
record_time(KEYS[1], 1, now, per_hour)
redis.call('ZADD', KEYS[2], now, ARGV[7])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return { 'counted' }
`);
