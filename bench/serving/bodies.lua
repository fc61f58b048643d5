-- Sends the bodies BODIES/0 ... BODIES/(COUNT-1) in turn and prints what came of it as one JSON line. With PATIENT=1
-- as many calls wait a second as were answered 503 with Retry-After: 1.
local folder, count = os.getenv("BODIES"), tonumber(os.getenv("COUNT"))
local requests, at, waits = {}, 0, 0

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

if os.getenv("PATIENT") then
  function response(status)
    if status == 503 then waits = waits + 1 end
  end

  function delay()
    if waits == 0 then return 0 end
    waits = waits - 1
    return 1000
  end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"calls": %d, "microseconds": %d, "refused": %d, "broken": %d, "p50": %d, "p99": %d}\n',
    summary.requests, summary.duration, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
