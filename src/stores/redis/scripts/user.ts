/**
 * Lua functions that the scripts on users share; their text is put in front of each.
 *
 * All users share a slot, so that each change is one step: an identifier is never claimed without its user, nor a user
 * there without its identifiers. KEYS of each of these scripts: 1 users (hash: id → JSON), 2 identifiers
 * (hash: 'email:…' or 'phone:…' → id), 3 users by creation (sorted set), 4 the same of no role (a role's name is put
 * behind it).
 *
 * A user's JSON: { email, phone, name, roles (a line each), disabled, created (ms), totp }; roles are text, because Lua
 * does not tell an empty list from an empty object.
 */
export const userFunctions = `
local USERS, IDENTIFIERS, CREATED, ROLE = KEYS[1], KEYS[2], KEYS[3], KEYS[4]

local function identifiers_of(user)
  local found = {}
  if user.email then found[#found + 1] = 'email:' .. user.email end
  if user.phone then found[#found + 1] = 'phone:' .. user.phone end
  return found
end

-- Whether somebody else has one of the identifiers.
local function is_taken(id, user)
  for _, identifier in ipairs(identifiers_of(user)) do
    local owner = redis.call('HGET', IDENTIFIERS, identifier)
    if owner and owner ~= id then return true end
  end
  return false
end

local function drop_user(id, user)
  for _, identifier in ipairs(identifiers_of(user)) do redis.call('HDEL', IDENTIFIERS, identifier) end
  for role in string.gmatch(user.roles, '[^\\n]+') do redis.call('ZREM', ROLE .. role, id) end
  redis.call('ZREM', CREATED, id)
  redis.call('HDEL', USERS, id)
end

local function put_user(id, user)
  local created = string.format('%d', user.created)
  for _, identifier in ipairs(identifiers_of(user)) do redis.call('HSET', IDENTIFIERS, identifier, id) end
  for role in string.gmatch(user.roles, '[^\\n]+') do redis.call('ZADD', ROLE .. role, created, id) end
  redis.call('ZADD', CREATED, created, id)
  local json = cjson.encode(user)
  redis.call('HSET', USERS, id, json)
  return json
end
`;
