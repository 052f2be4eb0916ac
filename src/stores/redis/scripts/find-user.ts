import { script } from '../run-script.js';
import { userFunctions } from './user.js';

export const findUser = script(`
-- Finds a user by id or by identifier.
-- KEYS  see user.ts
-- ARGV  1 'id' or 'identifier', 2 the id, or 'email:…' or 'phone:…'
-- Reply {id, user (JSON)}; {} no such user
${userFunctions}
local id = ARGV[2]
if ARGV[1] == 'identifier' then id = redis.call('HGET', IDENTIFIERS, ARGV[2]) end
local stored = id and redis.call('HGET', USERS, id)
if not stored then return {} end
return { id, stored }
`);
