import { script } from '../run-script.js';

export const withdrawSms = script(`
-- Takes back the counting of a message that was not sent.
-- KEYS  1 messages sent, 2 the group's messages
-- ARGV  1 message id, 2 when it was counted (ms)
-- Reply 1 withdrawn; 0 no such message
if redis.call('ZREM', KEYS[2], ARGV[1]) == 0 then return 0 end
redis.call('LREM', KEYS[1], 1, ARGV[2])
return 1
`);
