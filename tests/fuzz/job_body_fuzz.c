/* job_body_fuzz.c - bodies that describe jobs, of any bytes: read, checked, given their
 * defaults, put in the engine's form, and used as updates of a job that is right.
 * Whatever comes in, the answer is a job or an error with a kind; anything that Lua raises
 * without a kind is a finding. */
#include "lua_target.h"

// Reads a body as every route does that takes one of a job; raises for a bug.
static const char script[] =
    "package.loaded['blip.job.settings'] = {\n"
    "  max_model_memory_bytes = function() return nil end,\n"
    "  default_memory_bytes = function() return 1 << 30 end,\n"
    "  size_text = function(bytes) return ('%db'):format(bytes) end,\n"
    "}\n"
    "local analysis = require 'blip.job.analysis'\n"
    "local config = require 'blip.job.config'\n"
    "local detector = require 'blip.job.detector'\n"
    "local fail = require 'blip.fail'\n"
    "local feed_body = require 'blip.api.elastic.feed_body'\n"
    "local feed_config = require 'blip.job.feed_config'\n"
    "local job_body = require 'blip.api.elastic.job_body'\n"
    "local json = require 'runtime.json'\n"
    "local update = require 'blip.job.update'\n"
    "local RIGHT = '{\"analysis_config\":{\"detectors\":[{\"function\":\"count\",'\n"
    "  .. '\"by_field_name\":\"a\"}]},\"data_description\":{}}'\n"
    "local function whole(text, legacy)\n"
    "  local sent = job_body.read(text, legacy)\n"
    "  local job = config.new(sent, { id = 'j', now_ms = 0 })\n"
    "  assert(json.encode(job))\n"
    "  assert(json.encode(config.exported(job)))\n"
    "  analysis.span_warning(job.analysis_config.bucket_span)\n"
    "  config.engine(job)\n"
    "  config.persist_interval_ms(job)\n"
    "  if not sent.datafeed_config then return end\n"
    "  local feed = feed_body.settle(sent.datafeed_config)\n"
    "  feed.job_id = 'j'\n"
    "  feed = feed_config.new(feed, 'f')\n"
    "  feed_config.check_job(feed, job)\n"
    "  feed_config.frequency_ms(feed, job)\n"
    "  feed_config.check_window_ms(feed, job)\n"
    "  assert(json.encode(feed_config.exported(feed)))\n"
    "end\n"
    "local ways = {\n"
    "  function(text) whole(text, false) end,\n"
    "  function(text) whole(text, true) end,\n"
    "  function(text) config.new(job_body.read_strictly(text), {}) end,\n"
    "  function(text) detector.normal(job_body.detector:parse(text), 0) end,\n"
    "  function(text)\n"
    "    local job = config.new(job_body.read(RIGHT), { id = 'j', now_ms = 0 })\n"
    "    local changed = update.apply(job, job_body.update:parse(text), { is_open = false })\n"
    "    assert(json.encode(changed))\n"
    "    assert(config.engine(changed))\n"
    "  end,\n"
    "}\n"
    "return function(text)\n"
    "  for _, way in ipairs(ways) do\n"
    "    local ran, err = pcall(way, text)\n"
    "    if not ran and not fail.is(err) then error('no kind: ' .. tostring(err)) end\n"
    "  end\n"
    "end\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    return lua_target(script, data, size);
}
