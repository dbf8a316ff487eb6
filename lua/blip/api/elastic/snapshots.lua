--- Routes: model snapshots (elastic-ml.md 2.3 and 7.10). A job's models are saved and come back on their
-- own; the snapshots that say so can be listed and deleted, and nothing more.
-- @module blip.api.elastic.snapshots
local answers = require "blip.api.elastic.answers"
local bodies = require "blip.api.elastic.bodies"
local object = require "blip.api.elastic.object"
local options = require "blip.api.elastic.options"
local paths = require "blip.api.elastic.paths"
local refuse = require "blip.job.refuse"
local registry = require "blip.job.registry"
local snapshot = require "blip.result.snapshot"
local state = require "blip.job.state"
local store = require "runtime.store"

local ADMIN = "cluster:admin/xpack/ml/job/model_snapshots/"
local MONITOR = "cluster:monitor/xpack/ml/job/model_snapshots/"
local UPGRADE = "cluster:admin/xpack/ml/job/upgrade_model_snapshot"
local PATH = "/anomaly_detectors/{job_id}/model_snapshots"
local ONE = PATH .. "/{snapshot_id}"

local routes = {}

local list_options = options.new(MONITOR .. "get", {
  job_id = options.text, snapshot_id = options.text, start = options.text, ["end"] = options.text,
  sort = options.text, desc = options.boolean, from = options.count, size = options.count,
  page = options.page,
})

local function missing(job, id)
  refuse.missing("No model snapshot with id [%s] exists for job [%s]", id, job.job_id)
end

local function is_literal(id)
  return id and id ~= "" and id ~= "_all" and not id:find "[*,]"
end

local function get(request)
  local wanted = list_options:read(request)
  local job = registry.get(request.params.job_id)
  local page = wanted.page or wanted
  wanted.from, wanted.size = page.from, page.size
  wanted.snapshot_id = request.params.snapshot_id or wanted.snapshot_id
  local found = assert(snapshot.page(job, wanted))
  if found.count == 0 and is_literal(wanted.snapshot_id) then missing(job, wanted.snapshot_id) end
  for i, document in ipairs(found.documents) do
    found.documents[i] = answers.human(request, document, snapshot.TIMES)
  end
  return answers.list("model_snapshots", found.documents, found.count)
end

paths.read(routes, PATH, MONITOR .. "get", get)
paths.read(routes, ONE, MONITOR .. "get", get)

-- The job and the snapshot that a path names.
local function named(request)
  local job, id = registry.get(request.params.job_id), request.params.snapshot_id
  local found, place = snapshot.find(job, id)
  if not found then missing(job, id) end
  return job, id, place
end

paths.both(routes, "DELETE " .. ONE, ADMIN .. "delete", function(request)
  request:allow {}
  local job, id, place = named(request)
  if job.model_snapshot_id == id then
    refuse.argument("Model snapshot '%s' is the active snapshot for job '%s', so cannot be deleted", id,
      job.job_id)
  end
  assert(snapshot.delete(place))
  return answers.acknowledged()
end)

local update_body = object.new("cluster:admin/xpack/ml/job/model_snapshots/update", {
  job_id = object.text, snapshot_id = object.text, description = object.text, retain = object.boolean,
})

paths.both(routes, "POST " .. ONE .. "/_update", ADMIN .. "update", function(request)
  request:allow {}
  update_body:parse(bodies.text(request))
  named(request)
  refuse.status(400, "Cannot update a model snapshot: this is not supported")
end)

local revert_options = options.new(ADMIN .. "revert", {
  job_id = options.text, snapshot_id = options.text, delete_intervening_results = options.boolean,
})

paths.both(routes, "POST " .. ONE .. "/_revert", ADMIN .. "revert", function(request)
  revert_options:read(request)
  local job = named(request)
  if assert(state.load(store.connection(), job.job_id)).state ~= "closed" then
    refuse.status(409, "Can only revert to a model snapshot when the job is closed.")
  end
  refuse.status(400, "Cannot revert to a model snapshot: this is not supported")
end)

local upgrade_options = options.query { wait_for_completion = options.boolean, timeout = options.time_value }

paths.both(routes, "POST " .. ONE .. "/_upgrade", UPGRADE, function(request)
  upgrade_options:read(request)
  named(request)
  refuse.status(400, "Cannot upgrade a model snapshot: all of them have the current version")
end)

local stats_options = options.query { allow_no_match = options.boolean }

paths.both(routes, "GET " .. ONE .. "/_upgrade/_stats", MONITOR .. "upgrade_stats", function(request)
  local wanted = stats_options:read(request)
  registry.list(request.params.job_id, wanted.allow_no_match)
  if wanted.allow_no_match == false then
    refuse.missing("No model snapshot upgrades found for [%s]", request.params.snapshot_id)
  end
  return answers.list("model_snapshot_upgrades", {})
end)

return routes
