import { script } from '../run-script.js';
import { laneFunctions } from './lane.js';

export const consumeCode = script(`
-- Judges the failure limit, compares a guess with the live codes, and counts it or uses the code up.
-- KEYS  1 devices-revoked, of the shared lane: 2 codes, 3 failures; of the device: 4 codes, 5 failures (if there is one)
-- ARGV  1 now (ms), 2 device cookie's issue (ms) or '', 3 attempts, 4 failures a day, 5... the guess, hashed under each secret
-- Reply {'accepted'}; {'rejected', the reason}; {'limited', retry after (ms)}
${laneFunctions}
local now, max_attempts, failures_per_day = tonumber(ARGV[1]), tonumber(ARGV[3]), tonumber(ARGV[4])
local guesses = {}
for position = 5, #ARGV do guesses[ARGV[position]] = true end

-- A returning device's guess may be of a code that was asked for without its cookie, on another machine.
local lanes, failures_key = { KEYS[2] }, KEYS[3]
if has_own_lane(KEYS[1], ARGV[2]) then lanes, failures_key = { KEYS[4], KEYS[2] }, KEYS[5] end

end_future(failures_key, now)
local failures, wait = in_window(failures_key, failures_per_day, DAY, now)
if wait > 0 then return { 'limited', wait } end
local allowance = failures_per_day - failures

local records, was_used, compared, reason = {}, false, {}, 'absent'
for position, key in ipairs(lanes) do
  local record = read_codes(key)
  records[position] = record
  for _, used in ipairs(record.spent) do
    if used.expires > now and guesses[used.hash] then was_used = true end
  end
end

for _, record in ipairs(records) do
  for _, code in ipairs(record.codes) do
    if code.expires > now then
      if code.attempts >= max_attempts then
        reason = 'attempts_used_up'
      elseif #compared < allowance then
        if guesses[code.hash] then
          local spent = { { hash = code.hash, expires = code.expires } }
          for _, used in ipairs(record.spent) do
            if used.expires > now then spent[#spent + 1] = used end
          end
          record.spent = spent
          for lane, all in ipairs(records) do
            all.codes = {}
            write_codes(lanes[lane], all, now)
          end
          return { 'accepted' }
        end
        compared[#compared + 1] = code
      end
    end
  end
end

-- A used code that comes again (a form sent twice) is no guess, unless it was issued anew (a reviewer's is always the same).
if was_used then return { 'rejected', 'replayed' } end

-- Each comparison is counted, so more live codes are no better odds.
if #compared > 0 then
  reason = 'wrong'
  for _, code in ipairs(compared) do code.attempts = code.attempts + 1 end
  for lane, record in ipairs(records) do write_codes(lanes[lane], record, now) end
end
record_time(failures_key, math.max(1, #compared), now, failures_per_day)
return { 'rejected', reason }
`);
