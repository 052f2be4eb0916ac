/**
 * Lua functions that the scripts on codes share. Redis scripts cannot load one another, so the text is put in
 * front of each.
 *
 * A lane's sends and failures are lists of times in milliseconds, newest first: a moving window is then exact,
 * and never more than the limit's number of entries long. When a clock was set back, times in the future become this
 * moment's, so that nothing is forgotten, and nobody waits longer than the window.
 */
export const laneFunctions = `
local HOUR, DAY = 3600000, 86400000

-- Whether the request's device still has a lane of its own: its cookie is younger than the last revocation.
local function has_own_lane(revoked_key, issued_at)
  if issued_at == '' then return false end
  local revoked_at = redis.call('GET', revoked_key)
  return not revoked_at or tonumber(issued_at) > tonumber(revoked_at)
end

-- To be called before a list is judged: then the latest entry is never older than any other, and tells about all.
local function end_future(key, now)
  local latest = redis.call('LINDEX', key, 0)
  if not latest or tonumber(latest) <= now then return end
  for position, entry in ipairs(redis.call('LRANGE', key, 0, -1)) do
    if tonumber(entry) > now then redis.call('LSET', key, position - 1, string.format('%d', now)) end
  end
end

-- How many entries are in the window, and in how many milliseconds fewer than 'limit' will be.
local function in_window(key, limit, window, now)
  local entries = redis.call('LRANGE', key, 0, limit - 1)
  local count = 0
  for _, entry in ipairs(entries) do
    if now - tonumber(entry) < window then count = count + 1 end
  end
  if count < limit then return count, 0 end
  return count, math.max(1, tonumber(entries[limit]) + window - now)
end

local function record_time(key, times, now, most)
  for _ = 1, times do redis.call('LPUSH', key, string.format('%d', now)) end
  redis.call('LTRIM', key, 0, most - 1)
  redis.call('PEXPIRE', key, DAY)
end

-- A lane's codes: { codes = newest first { id, hash, expires, attempts }, spent = { hash, expires } }.
local function read_codes(key)
  local stored = redis.call('GET', key)
  if stored then return cjson.decode(stored) end
  return { codes = {}, spent = {} }
end

local function write_codes(key, record, now)
  local last = 0
  for _, code in ipairs(record.codes) do last = math.max(last, code.expires) end
  for _, used in ipairs(record.spent) do last = math.max(last, used.expires) end
  if last <= now then
    redis.call('DEL', key)
  else
    redis.call('SET', key, cjson.encode(record), 'PX', string.format('%d', last - now))
  end
end
`;
