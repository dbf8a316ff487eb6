--- Which datafeeds there are: one document each in `.ml-config`, at most one for a job.
-- Datafeeds are as @{blip.job.feed_config} makes them. Whether one runs is not its configuration.
-- @module blip.job.feeds
local access = require "blip.security.access"
local fail = require "blip.fail"
local feed_config = require "blip.job.feed_config"
local refuse = require "blip.job.refuse"
local registry = require "blip.job.registry"
local rights = require "blip.source.rights"
local shelf = require "blip.job.shelf"

local stored = shelf.new {
  index = ".ml-config", prefix = "datafeed-", kind = "datafeed", missing = "No datafeed with id [%s] exists",
  ordered = feed_config.ordered,
}

local feeds = {}

-- Keeps who makes or changes a datafeed, with whose rights it will read: they must have them now.
local function claim(feed, verb)
  if not rights.check(feed.indices) then
    assert(fail.denied("Cannot %s datafeed [%s] because user %s lacks permissions on the indices", verb,
      feed.datafeed_id, access.subject().name))
  end
  feed.user = rights.present()
  return feed
end

--- Stores a new datafeed, which will read with the rights of the present caller.
-- @tparam table feed
-- @treturn table the datafeed; raises the dialect's error when there is no such job, the job has
-- a datafeed, or the id is taken
function feeds.create(feed)
  local function taken()
    refuse.exists("A datafeed with id [%s] already exists", feed.datafeed_id)
  end
  local job = registry.get(feed.job_id)
  if stored:find(feed.datafeed_id) then taken() end
  local other = feeds.of_job(feed.job_id)
  if other then
    refuse.status(409, "A datafeed [%s] already exists for job [%s]", other.datafeed_id, feed.job_id)
  end
  feed_config.check_job(feed, job)
  if not stored:create(feed.datafeed_id, claim(feed, "create")) then taken() end
  return feed
end

--- The datafeed of a job; nil when it has none.
function feeds.of_job(job_id)
  for _, feed in ipairs(stored:all()) do
    if feed.job_id == job_id then return feed end
  end
  return nil
end

--- All datafeeds by the ids of their jobs.
function feeds.by_job()
  local found = {}
  for _, feed in ipairs(stored:all()) do found[feed.job_id] = feed end
  return found
end

--- A datafeed; nil when there is none.
function feeds.find(id)
  return stored:find(id)
end

--- A datafeed; raises the dialect's 404.
function feeds.get(id)
  return stored:get(id)
end

--- The datafeeds that an expression names, in the order of their ids.
-- @tparam ?string expression see @{blip.job.ids.expand}
-- @tparam[opt=true] boolean allow_no_match whether a pattern may match nothing
-- @treturn {table,...} datafeeds; raises the dialect's 404
function feeds.list(expression, allow_no_match)
  return stored:list(expression, function(feed) return { feed.datafeed_id } end, allow_no_match)
end

--- Changes a datafeed; raises the dialect's error.
-- @tparam string id
-- @tparam table sent what a body says
-- @treturn table the datafeed as it is now
function feeds.update(id, sent)
  return stored:update(id, function(feed)
    local changed = feed_config.update(feed, sent)
    feed_config.check_job(changed, registry.get(changed.job_id))
    return claim(changed, "update")
  end)
end

--- Removes a datafeed's document.
-- @treturn boolean whether there was one
function feeds.delete(id)
  return stored:delete(id)
end

return feeds
