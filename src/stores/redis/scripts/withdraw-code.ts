import { script } from '../run-script.js';
import { laneFunctions } from './lane.js';

export const withdrawCode = script(`
-- Takes back a code whose message was not sent, and what its sending counted (so the cool-down is lifted as well).
-- KEYS  of the shared lane: 1 codes, 2 sends; of the device: 3 codes, 4 sends (if there is one)
-- ARGV  1 code id, 2 time of issue (ms), 3 'taken_back', or 'kept': all goes on as if it had been sent, and no guess is right
-- Reply 1 withdrawn; 0 no such code
${laneFunctions}
local issued_at = tonumber(ARGV[2])
for first = 1, #KEYS, 2 do
  local record = read_codes(KEYS[first])
  for position, code in ipairs(record.codes) do
    if code.id == ARGV[1] then
      if ARGV[3] == 'kept' then
        code.hash = ''
        write_codes(KEYS[first], record, issued_at)
        return 1
      end
      table.remove(record.codes, position)
      write_codes(KEYS[first], record, issued_at)
      redis.call('LREM', KEYS[first + 1], 1, ARGV[2])
      return 1
    end
  end
end
return 0
`);
