-- For wrk: one GET after another with the header fields in a file, a line each ("name: value"), over and over.
local requests, last = {}, 0

function init(args)
  for line in io.lines(args[1]) do
    local name, value = line:match('^([^:]+): (.*)$')
    requests[#requests + 1] = wrk.format('GET', nil, { [name] = value })
  end
end

function request()
  last = last % #requests + 1
  return requests[last]
end

function done(summary)
  local errors = summary.errors
  local failed = errors.status + errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format('\nmeasured %d %d %d\n', summary.requests, summary.duration, failed))
end
