import { script } from '../run-script.js';

export const revokeToken = script(`
-- Revokes one access token.
-- KEYS  1 the token's revocation
-- ARGV  1 what is left of the token's life (ms)
-- Reply 1
redis.call('SET', KEYS[1], '1', 'PX', ARGV[1])
return 1
`);
