-- Feeds every series of the folders in BLIP_QUALITY row by row to the model that users get, with
-- its defaults, and writes a file of scores and one of grades beside each other:
--     build/quality/<folder>/score/<path>     timestamp,anomaly_score
--     build/quality/<folder>/grade/<path>
local model = require "runtime.model"
local time = require "runtime.time"

local OUT = "build/quality"

local function each_line(command)
  local pipe = assert(io.popen(command))
  local lines = {}
  for line in pipe:lines() do lines[#lines + 1] = line end
  assert(pipe:close(), command)
  return lines
end

local function quoted(path) return "'" .. path:gsub("'", "'\\''") .. "'" end

-- Milliseconds since 1970 of "2020-01-31 23:59:59" (UTC).
local function stamp_ms(text)
  local year, month, day, hour, minute, second = text:match "^(%d+)-(%d+)-(%d+) (%d+):(%d+):(%d+)"
  year, month = tonumber(year), tonumber(month)
  local y = month > 2 and year or year - 1
  local day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + tonumber(day) - 1
  local days = y * 365 + y // 4 - y // 100 + y // 400 + day_of_year - 719468
  return ((days * 24 + tonumber(hour)) * 60 + tonumber(minute)) * 60000 + tonumber(second) * 1000
end

local function open(folder, kind, path)
  local name = table.concat({ OUT, folder, kind, path }, "/")
  os.execute("mkdir -p " .. quoted(name:match "^(.*)/"))
  local file = assert(io.open(name, "w"))
  file:write("timestamp,anomaly_score\n")
  return file
end

local function values_of(line)
  local values = {}
  for cell in line:gmatch ",([^,]*)" do values[#values + 1] = tonumber(cell) end
  return values
end

--- Scores one file; returns its rows and columns.
local function write(folder, root, path)
  local lines = io.lines(root .. "/" .. path)
  local columns = select(2, lines():gsub(",", ","))
  local scores, grades = open(folder, "score", path), open(folder, "grade", path)
  local m, rows = assert(model.new { kind = "ensemble", features = columns }), 0
  for line in lines do
    local stamp = line:match "^[^,]*"
    local verdict = assert(m:push(stamp_ms(stamp), values_of(line)))
    scores:write(("%s,%.17g\n"):format(stamp, verdict.score))
    grades:write(("%s,%.17g\n"):format(stamp, verdict.grade))
    rows = rows + 1
  end
  scores:close()
  grades:close()
  return rows, columns
end

describe("quality", function()
  for _, place in ipairs(each_line('printf "%s" "$BLIP_QUALITY"')) do
    local folder, root = place:match "([^/]+)/*$", place .. "/data"

    it("scores " .. folder, function()
      local start, total = time.monotonic_ns(), 0
      local paths = each_line("cd " .. quoted(root) .. " && find . -name '*.csv' | sort")
      for _, path in ipairs(paths) do total = total + write(folder, root, path:sub(3)) end
      local us = (time.monotonic_ns() - start) / 1000 / total
      print(("%s: %d series, %d rows, %.1f us a row with reading and writing"):format(
        folder, #paths, total, us))
    end)
  end
end)
