import { script } from '../run-script.js';
import { userFunctions } from './user.js';

export const listUsers = script(`
-- Reads a page of users, oldest first.
-- KEYS  see user.ts
-- ARGV  1 first place (0 is the oldest), 2 last place, 3 a role, or '' for all users
-- Reply how many there are on all pages, then id, user (JSON), ...
${userFunctions}
local order = ARGV[3] == '' and CREATED or ROLE .. ARGV[3]
local reply = { redis.call('ZCARD', order) }
for _, id in ipairs(redis.call('ZRANGE', order, ARGV[1], ARGV[2])) do
  reply[#reply + 1] = id
  reply[#reply + 1] = redis.call('HGET', USERS, id)
end
return reply
`);
