--- Category definitions as the dialect shows them (elastic-ml.md 5.8). Nothing in here makes any: they
-- are documents that clients put among the results.
-- @module blip.result.category
local fields = require "blip.result.job_fields"
local job_search = require "blip.result.job_search"
local json = require "runtime.json"
local view = require "blip.result.view"

local category = {}

local ZEROS = { terms = "", regex = "", max_matching_length = 0 }

local function order_of(field)
  return {
    "job_id", "category_id", "partition_field_name", "partition_field_value", "terms", "regex",
    "max_matching_length", "examples", "grok_pattern", "num_matches", "preferred_to_categories", field,
    "result_type", "mlcategory",
  }
end

local function show(document)
  view.fill(document, ZEROS)
  document.result_type = "category_definition"
  document.category_id = math.tointeger(tonumber(document.category_id)) or document.category_id
  document.mlcategory = tostring(document.category_id)
  local examples = document.examples or {}
  table.sort(examples)
  document.examples = json.array(examples)
  local field = document.partition_field_name
  if type(field) == "string" and not fields.RESULT[field] then
    document[field] = document.partition_field_value
  end
  return json.ordered(document, order_of(field))
end

--- A page of a job's categories, by their ids.
-- @tparam table job its configuration
-- @tparam table wanted by choice `category_id`, `partition_field_value`, `from`, `size`
-- @treturn table `count`, `documents`; or nil and an error
function category.page(job, wanted)
  local clauses = { { term = { job_id = job.job_id } }, { exists = { field = "category_id" } } }
  if wanted.category_id then clauses[#clauses + 1] = { term = { category_id = wanted.category_id } } end
  if wanted.partition_field_value then
    clauses[#clauses + 1] = { term = { partition_field_value = wanted.partition_field_value } }
  end
  local answer, err = job_search.run(job, {
    query = { bool = { filter = json.array(clauses) } }, sort = json.array { { category_id = "asc" } },
    from = wanted.from or 0, size = wanted.size or 100, track_total_hits = true,
  })
  if not answer then return nil, err end
  local page = { count = answer.hits.total.value, documents = {} }
  for i, hit in ipairs(json.plain(answer.hits).hits) do page.documents[i] = show(json.plain(hit._source)) end
  return page
end

return category
