import { script } from '../run-script.js';

export const revokeDevices = script(`
-- Takes their own lanes from all device cookies that were signed until now.
-- KEYS  1 devices-revoked
-- ARGV  1 now (ms), 2 life of a device cookie (ms)
-- Reply 1
local revoked_at = redis.call('GET', KEYS[1])
if not revoked_at or tonumber(revoked_at) < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) end
return 1
`);
