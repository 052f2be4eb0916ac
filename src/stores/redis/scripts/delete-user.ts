import { script } from '../run-script.js';
import { userFunctions } from './user.js';

export const deleteUser = script(`
-- Removes a user and frees its identifiers.
-- KEYS  see user.ts
-- ARGV  1 id
-- Reply 1 removed; 0 no such user
${userFunctions}
local stored = redis.call('HGET', USERS, ARGV[1])
if not stored then return 0 end
drop_user(ARGV[1], cjson.decode(stored))
return 1
`);
