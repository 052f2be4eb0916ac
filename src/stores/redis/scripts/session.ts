/**
 * Lua functions that the scripts on sessions share; their text is put in front of each.
 *
 * All sessions of a user are fields of one hash, session id → JSON:
 * { refresh: id of the token that is good, previous: the one before, rotated, started, used, expires, ends (ms), moved, amr, ip, agent }
 */
export const sessionFunctions = `
local function read_session(key, id)
  local stored = redis.call('HGET', key, id)
  return stored and cjson.decode(stored)
end

local function is_alive(session, now)
  return session.expires > now and session.ends > now
end

local function write_session(key, id, session, now)
  redis.call('HSET', key, id, cjson.encode(session))
  local life = session.expires - now
  if redis.call('PTTL', key) < life then redis.call('PEXPIRE', key, string.format('%d', life)) end
end

-- Those that have ended as well: { id, session }.
local function all_sessions(key)
  local stored, all = redis.call('HGETALL', key), {}
  for position = 1, #stored, 2 do
    all[#all + 1] = { id = stored[position], session = cjson.decode(stored[position + 1]) }
  end
  return all
end

-- Removes the sessions that are past their end, and returns the others.
local function live_sessions(key, now)
  local live = {}
  for _, one in ipairs(all_sessions(key)) do
    if is_alive(one.session, now) then
      live[#live + 1] = one
    else
      redis.call('HDEL', key, one.id)
    end
  end
  return live
end

-- Whether all that the user held was revoked after this time.
local function was_revoked_since(key, time)
  local revoked_at = redis.call('GET', key)
  return revoked_at and tonumber(revoked_at) > time
end
`;
