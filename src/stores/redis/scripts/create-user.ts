import { script } from '../run-script.js';
import { userFunctions } from './user.js';

export const createUser = script(`
-- Adds a user, unless somebody has one of its identifiers.
-- KEYS  see user.ts
-- ARGV  1 id, 2 user (JSON)
-- Reply {'done', user (JSON)}; {'taken'}
${userFunctions}
local id, user = ARGV[1], cjson.decode(ARGV[2])
if is_taken(id, user) then return { 'taken' } end
return { 'done', put_user(id, user) }
`);
