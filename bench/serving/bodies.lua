-- Sends the bodies BODIES/0 ... BODIES/(COUNT-1) in turn and prints what came of it as one JSON line.
local folder, count = os.getenv("BODIES"), tonumber(os.getenv("COUNT"))
local requests, at = {}, 0

function init()
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "multipart/form-data; boundary=" .. os.getenv("BOUNDARY")
  for i = 0, count - 1 do
    local file = assert(io.open(folder .. "/" .. i, "rb"))
    requests[i] = wrk.format("POST", "/predict", nil, file:read("*a"))
    file:close()
  end
end

function request()
  at = (at + 1) % count
  return requests[at]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"calls": %d, "microseconds": %d, "refused": %d, "broken": %d, "p50": %d, "p99": %d}\n',
    summary.requests, summary.duration, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
