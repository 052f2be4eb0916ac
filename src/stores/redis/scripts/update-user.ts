import { script } from '../run-script.js';
import { userFunctions } from './user.js';

export const updateUser = script(`
-- Changes members of a user, unless somebody else has one of the new identifiers.
-- KEYS  see user.ts
-- ARGV  1 id, 2 changed members (JSON; null removes one)
-- Reply {'done', user (JSON)}; {'taken'}; {'absent'}
${userFunctions}
local id, stored = ARGV[1], redis.call('HGET', USERS, ARGV[1])
if not stored then return { 'absent' } end

local before, after = cjson.decode(stored), cjson.decode(stored)
for member, value in pairs(cjson.decode(ARGV[2])) do
  if value == cjson.null then value = nil end
  after[member] = value
end
if is_taken(id, after) then return { 'taken' } end
drop_user(id, before)
return { 'done', put_user(id, after) }
`);
