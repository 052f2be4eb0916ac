import { script } from '../run-script.js';

export const returnLease = script(`
-- Gives a lease back, if its holder is still the one.
-- KEYS  1 the lease
-- ARGV  1 holder
-- Reply 1 given back; 0 it was not the holder's any more
local stored = redis.call('GET', KEYS[1])
if not stored or string.match(stored, '^(.*) %d+$') ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
`);
