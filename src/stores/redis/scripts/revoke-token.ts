import { script } from '../run-script.js';
import { announceFunction } from './announce.js';

export const revokeToken = script(`
-- Revokes one access token.
-- KEYS  1 the token's revocation
-- ARGV  1 what is left of the token's life (ms), 2 channel, 3 stamp, 4 the token's id
-- Reply 1
${announceFunction}
redis.call('SET', KEYS[1], '1', 'PX', ARGV[1])
announce(ARGV[2], ARGV[3], { { 'id', ARGV[4], ARGV[1] } })
return 1
`);
