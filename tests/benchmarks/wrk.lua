-- wrk … URL -- METHOD BODY PATH…: the paths in turn; {n} in a body or a path is the number of the request.

local method, body, paths, ready, n = nil, nil, {}, {}, 0
local headers = { ["Content-Type"] = "application/json" }

function init(args)
  method, body = args[1], args[2]
  for i = 3, #args do paths[#paths + 1] = args[i] end
  if not (body .. table.concat(paths)):find("{n}", 1, true) then
    for i, path in ipairs(paths) do ready[i] = wrk.format(method, path, headers, body) end
  end
end

function request()
  n = n + 1
  local i = (n - 1) % #paths + 1
  return ready[i] or wrk.format(method, paths[i]:gsub("{n}", n), headers, (body:gsub("{n}", n)))
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    "figures %d %d %.3f %.3f %d %d\n",
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), errors.status,
    errors.connect + errors.read + errors.write + errors.timeout
  ))
end
