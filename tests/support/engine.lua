--- Jobs of the engine for specs: rows in, result documents out.
-- @module support.engine
local json = require "runtime.json"
local job = require "runtime.job"

local engine = {}

--- A configuration with defaults: buckets of five minutes, times in seconds.
-- @tparam table more what differs
function engine.config(more)
  local config = {
    job_id = "j", bucket_span_s = 300, time_field = "time", time_format = "epoch",
    detectors = { { ["function"] = "count" } },
  }
  for name, value in pairs(more or {}) do config[name] = value end
  return config
end

--- A new job; see `engine.config`.
function engine.new(more)
  return assert(job.new(engine.config(more)))
end

--- Rows as the lines of a `_data` body.
function engine.body(rows)
  local lines = {}
  for i, row in ipairs(rows) do lines[i] = json.encode(row) end
  return table.concat(lines, "\n")
end

--- Posts rows; returns the counts of the upload.
function engine.post(j, rows, options)
  return assert(j:post(engine.body(rows), options))
end

--- The documents that a job has ready, each with its `_id`; deletions have `_deleted = true`.
function engine.documents(j)
  local documents, id = {}, nil
  for line in j:take_results():gmatch "[^\n]+" do
    local value = assert(json.decode(line))
    if value.index then
      id = value.index._id
    elseif value.delete then
      documents[#documents + 1] = { _id = value.delete._id, _deleted = true }
    else
      value._id = id
      documents[#documents + 1] = value
    end
  end
  return documents
end

--- Documents of one `result_type`.
function engine.only(documents, result_type)
  local list = {}
  for _, document in ipairs(documents) do
    if document.result_type == result_type then list[#list + 1] = document end
  end
  return list
end

--- Posts rows and returns the documents that came of them, advanced to the end of the last bucket.
-- @treturn table by `result_type`: bucket, record, influencer, model_plot
function engine.run(j, rows)
  engine.post(j, rows)
  local span = 300
  local last = rows[#rows].time
  assert(j:flush { advance_ms = (last + span) * 1000 })
  local documents = engine.documents(j)
  return {
    all = documents,
    bucket = engine.only(documents, "bucket"),
    record = engine.only(documents, "record"),
    influencer = engine.only(documents, "influencer"),
    model_plot = engine.only(documents, "model_plot"),
  }
end

--- The record with the largest score, or nil.
function engine.worst(records)
  local worst
  for _, record in ipairs(records) do
    if not worst or record.record_score > worst.record_score then worst = record end
  end
  return worst
end

--- Rows of noise around a level: one row a minute per value of `field`.
-- @tparam table o `from`, `buckets`, `field`, `values`, `level`, `noise`, `change(row, bucket)`
function engine.noise(o)
  local rows, seed = {}, o.seed or 1
  local function unit()
    seed = (seed * 1103515245 + 12345) % 2147483648
    return seed / 2147483648
  end
  local from = o.from or 1500000000 - 1500000000 % 300
  for second = 0, o.buckets * 300 - 60, 60 do
    for _, value in ipairs(o.values or { "a" }) do
      local normal = math.sqrt(-2 * math.log(1 - unit())) * math.cos(2 * math.pi * unit())
      local row = { time = from + second, [o.field or "host"] = value,
        value = (o.level or 100) + (o.noise or 10) * normal }
      if not (o.change and o.change(row, second // 300) == false) then rows[#rows + 1] = row end
    end
  end
  return rows, from
end

return engine
