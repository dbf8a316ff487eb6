--- What a datafeed takes from its indices: a stretch of time as a frame of records, one column per
-- field, in the order of time.
--
-- A stretch is plain data, so that it can be taken again: it says up to which document each index is to
-- be looked at, so that documents that came later change nothing.
--     { indices = { "web-*" }, query = {...}, time_field = "ts", from_ms =, to_ms =,
--       fields = { "host", "took" },              each document is a record; or
--       aggregations = {...},                     each leaf of the answer is one
--       ends = { ["web-1"] = 1200 },              first _seq_no that is not looked at
--       user = {...} }                            with whose rights it is read, see blip.source.rights
-- @module blip.job.extract
local aggregated = require "blip.job.extract_aggregations"
local dsl = require "blip.query.dsl"
local fail = require "blip.fail"
local feed_rows = require "blip.job.extract_documents"
local filter = require "blip.query.filter"
local moment = require "blip.query.moment"
local names = require "blip.index.names"
local rights = require "blip.source.rights"

local extract = {}

-- The indices of a stretch, as far as those may read them with whose rights it is taken.
local function resolve(stretch)
  local options = stretch.indices_options or {}
  local expand = options.expand_wildcards
  local subject, err = rights.of(stretch.user)
  if err then return nil, err end
  return names.resolve(stretch.indices, {
    ignore_unavailable = options.ignore_unavailable, allow_no_indices = options.allow_no_indices,
    expand_wildcards = expand and table.concat(expand, ",") or nil,
    action = rights.READ, subject = subject,
  })
end

extract.resolve = resolve

local function time_range(stretch)
  if not stretch.from_ms and not stretch.to_ms then return nil end
  return filter.range(stretch.time_field, {
    gte = stretch.from_ms, lt = stretch.to_ms, format = "epoch_millis",
  })
end

--- The filter of a stretch: its query, its time, its documents.
-- @return a filter; or nil and the dialect's error
function extract.filter(stretch)
  local wanted, err = rights.as(stretch.user, dsl.query, stretch.query)
  if not wanted then return nil, err end
  local parts = { wanted, filter.exists(stretch.time_field) }
  parts[#parts + 1] = time_range(stretch)
  if stretch.ends then parts[#parts + 1] = moment.filter(stretch.ends) end
  return filter.all_of(parts)
end

--- Takes a stretch.
-- @tparam table stretch see above
-- @tparam[opt] integer limit of records
-- @return a frame whose column of the time field's name has milliseconds; or nil and an error
function extract.frame(stretch, limit)
  local indices, err = resolve(stretch)
  if not indices then return nil, err end
  local where
  where, err = extract.filter(stretch)
  if not where then return nil, err end
  local take = stretch.aggregations and aggregated.frame or feed_rows.frame
  return take(stretch, indices, where, limit)
end

--- The time of the first record at or behind a moment; nil when there is none.
-- @return integer milliseconds or nil; nil and an error
function extract.first_ms(stretch, from_ms)
  local indices, err = resolve(stretch)
  if not indices then return nil, err end
  local behind = {}
  for name, value in pairs(stretch) do behind[name] = value end
  behind.from_ms = from_ms
  local where
  where, err = extract.filter(behind)
  if not where then return nil, err end
  return feed_rows.first_ms(stretch.time_field, indices, where)
end

--- About how many bytes of a journal a stretch stands for, which has to be taken again after a crash.
function extract.weight(stretch, rows)
  return rows * 16 * (2 + #(stretch.fields or {}))
end

--- Refuses a field that no index has.
-- @return true; or nil and the dialect's error
function extract.check_fields(datafeed_id, stretch, indices)
  for _, name in ipairs(stretch.fields or {}) do
    if name ~= stretch.time_field and not feed_rows.is_mapped(name, indices) then
      return fail.es {
        status = 400, type = "status_exception",
        reason = ("[%s] cannot retrieve field [%s] because it has no mappings"):format(datafeed_id, name),
      }
    end
  end
  return true
end

return extract
