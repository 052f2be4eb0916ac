import { script } from '../run-script.js';

export const confirmSms = script(`
-- Counts a code that was typed in.
-- KEYS  1 the group's codes typed in
-- ARGV  1 now (ms), 2 window (ms), 3 message id
-- Reply 1
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1] - ARGV[2])
redis.call('ZADD', KEYS[1], ARGV[1], ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
`);
