/**
 * A Lua function that scripts which revoke share; its text is put in front of each. Publishing is part of the script,
 * so that whatever is revoked is also told: no crash comes between. A Redis that forbids it (an ACL without channels)
 * revokes all the same, and processes that were not told are told nothing: see `push/membership.ts`.
 */
export const announceFunction = `
-- channel ('': nobody listens), stamp (JSON), { {'id', id, life (ms)} or {'user', time (ms), life (ms)}, ... }, all text
local function announce(channel, stamp, revoked)
  if channel == '' or #revoked == 0 then return end
  redis.pcall('PUBLISH', channel, '[' .. stamp .. ',' .. cjson.encode(revoked) .. ']')
end
`;
