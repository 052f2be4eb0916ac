import { script } from '../run-script.js';
import { laneFunctions } from './lane.js';

export const inspectCodes = script(`
-- Tells what is known of an identifier's codes and counts, and changes nothing.
-- KEYS  1 devices-revoked, then of the shared lane: 2 codes, 3 sends, 4 failures; of the device: 5 codes, 6 sends, 7 failures (if there is one)
-- ARGV  1 now (ms), 2 device cookie's issue (ms) or ''
-- Reply { times of sends (ms) }, { times of failures (ms) }, { expiry (ms), wrong guesses, '1' if withdrawn, of each live code }, how many used codes have not expired
${laneFunctions}
local now = tonumber(ARGV[1])
local first = has_own_lane(KEYS[1], ARGV[2]) and 5 or 2

local function of_the_day(key)
  local times = {}
  for _, entry in ipairs(redis.call('LRANGE', key, 0, -1)) do
    if now - math.min(tonumber(entry), now) < DAY then times[#times + 1] = entry end
  end
  return times
end

local record = read_codes(KEYS[first])
local codes, used = {}, 0
for _, code in ipairs(record.codes) do
  if code.expires > now then
    codes[#codes + 1] = string.format('%d', code.expires)
    codes[#codes + 1] = string.format('%d', code.attempts)
    codes[#codes + 1] = code.hash == '' and '1' or '0'
  end
end
for _, spent in ipairs(record.spent) do
  if spent.expires > now then used = used + 1 end
end
return { of_the_day(KEYS[first + 1]), of_the_day(KEYS[first + 2]), codes, used }
`);
