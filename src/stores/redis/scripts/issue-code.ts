import { script } from '../run-script.js';
import { laneFunctions } from './lane.js';

export const issueCode = script(`
-- Judges the limits on sending and puts a new code in place.
-- KEYS  1 devices-revoked, then of the shared lane: 2 codes, 3 sends, 4 failures; of the device: 5 codes, 6 sends, 7 failures (if there is one)
-- ARGV  1 now (ms), 2 device cookie's issue (ms) or '', 3 code id, 4 code hash, 5 expiry (ms), 6 live codes, 7 attempts,
--       8 cool-down (ms), 9 sends an hour, 10 sends a day, 11 failures a day
-- Reply {'issued'}; {'limited', the limit's name, retry after (ms)}
${laneFunctions}
local now, code_id, expiry = tonumber(ARGV[1]), ARGV[3], tonumber(ARGV[5])
local live_codes, max_attempts = tonumber(ARGV[6]), tonumber(ARGV[7])
local cooldown, per_hour, per_day, failures_per_day = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11])

local first = has_own_lane(KEYS[1], ARGV[2]) and 5 or 2
local codes_key, sends_key, failures_key = KEYS[first], KEYS[first + 1], KEYS[first + 2]

local record = read_codes(codes_key)
for _, code in ipairs(record.codes) do
  local live = code.expires > now and code.attempts < max_attempts
  if code.id == code_id and live then return { 'issued' } end -- the client sent the command twice, around a lost connection
end

end_future(failures_key, now)
end_future(sends_key, now)
local _, wait = in_window(failures_key, failures_per_day, DAY, now)
if wait > 0 then return { 'limited', 'failures_per_day', wait } end
if cooldown > 0 then
  _, wait = in_window(sends_key, 1, cooldown, now)
  if wait > 0 then return { 'limited', 'resend_cooldown', wait } end
end
_, wait = in_window(sends_key, per_hour, HOUR, now)
if wait > 0 then return { 'limited', 'sends_per_hour', wait } end
_, wait = in_window(sends_key, per_day, DAY, now)
if wait > 0 then return { 'limited', 'sends_per_day', wait } end

local kept = { { id = code_id, hash = ARGV[4], expires = now + expiry, attempts = 0 } }
for _, code in ipairs(record.codes) do
  if #kept < live_codes and code.expires > now and code.attempts < max_attempts then kept[#kept + 1] = code end
end
record.codes = kept
write_codes(codes_key, record, now)
record_time(sends_key, 1, now, math.max(per_hour, per_day))
return { 'issued' }
`);
