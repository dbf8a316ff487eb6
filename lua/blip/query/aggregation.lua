--- Trees of aggregations: JSON in, the answer's JSON out.
--
-- Metrics and filters need no rows of their own: they are columns of the level they stand on.
-- Only a grouping (@{blip.query.grouping}) begins a new level.
-- @module blip.query.aggregation
local aggregate = require "blip.query.aggregate"
local date_format = require "blip.query.date_format"
local fail = require "blip.fail"
local groupings = require "blip.query.grouping"
local level = require "blip.query.level"
local metrics = require "blip.query.metric"
local number_format = require "blip.query.number_format"
local partitions = require "blip.query.partition"
local problem = require "blip.query.problem"
local read = require "blip.query.read"
local rows = require "blip.query.rows"

local aggregation = {}

local known = {}
for kind, readers in pairs { metric = metrics, partition = partitions, grouping = groupings } do
  for type, reader in pairs(readers) do known[type] = { kind = kind, read = reader } end
end

--- What the dialect calls groupings when it complains of them.
local FACTORIES = {
  terms = "TermsAggregatorFactory", histogram = "HistogramAggregatorFactory",
  date_histogram = "DateHistogramAggregatorFactory", composite = "CompositeAggregationFactory",
}

-- Aggregations inside of aggregations.
local MAX_DEPTH = 20

local read_nodes

--- The type of an aggregation's definition, its body, and its sub-aggregations.
local function split(name, definition)
  local type, subs
  for _, key in ipairs(read.keys(definition)) do
    if key == "aggs" or key == "aggregations" then
      subs = definition[key]
    elseif key ~= "meta" then
      if type then
        return problem.parsing("Found two aggregation type definitions in [%s]: [%s] and [%s]", name, type,
          key)
      end
      type = key
    end
  end
  if not type then return problem.parsing("Missing definition for aggregation [%s]", name) end
  return type, definition[type], subs
end

local function read_node(name, definition, inside, depth)
  if name:find "[%[%]>]" then
    return problem.parsing("Invalid aggregation name [%s]. Aggregation names can contain any character "
      .. "except '[', ']', and '>'", name)
  end
  if not read.is_object(definition) then
    return problem.parsing("Aggregation definition for [%s starts with a [%s], expected a [START_OBJECT].",
      name, read.token(definition))
  end
  local type, body, subs = split(name, definition)
  if not type then return nil, body end
  local entry = known[type]
  if not entry then
    return problem.unknown_name("Unknown aggregation type [%s]%s", type, known)
  end
  if not read.is_object(body) then
    return problem.parsing("Expected [START_OBJECT] under [%s], but got a [%s] in [%s]", type,
      read.token(body), name)
  end
  local spec, err = entry.read(body, name)
  if not spec then return nil, err end
  if subs and entry.kind == "metric" then
    local reason = ("Aggregator [%s] of type [%s] cannot accept sub-aggregations"):format(name, type)
    return fail.es { status = 500, type = "aggregation_initialization_exception", reason = reason }
  end
  if spec.root_only and inside then
    return problem.late("[%s] aggregation cannot be used with a parent aggregation of type: [%s]",
      type, FACTORIES[inside])
  end
  local nodes
  nodes, err = read_nodes(subs, entry.kind == "grouping" and type or inside, depth + 1)
  if not nodes then return nil, err end
  return { name = name, type = type, kind = entry.kind, spec = spec, subs = nodes, meta = definition.meta }
end

function read_nodes(definitions, inside, depth)
  local nodes = {}
  if definitions == nil then return nodes end
  if depth > MAX_DEPTH then
    return problem.argument("aggregations are nested deeper than %d levels", MAX_DEPTH)
  end
  if not read.is_object(definitions) then
    return problem.parsing("Expected [START_OBJECT] under [aggs], but got a [%s]", read.token(definitions))
  end
  for i, name in ipairs(read.keys(definitions)) do
    local node, err = read_node(name, definitions[name], inside, depth)
    if not node then return nil, err end
    nodes[i] = node
  end
  return nodes
end

--- Reads the `aggs` of a search.
-- @return a list of nodes, or nil and the dialect's error
function aggregation.read(definitions)
  return read_nodes(definitions, nil, 1)
end

--- How values of a metric's field are written, nil for plain numbers.
local function text_of(at, spec)
  local field = rows.new(at.indices):field(spec.field)
  if field.type == "date" or field.type == "date_nanos" then
    local format = spec.format or field.format
    return function(value) return date_format.write(math.floor(value), format) end
  end
  if field.type == "boolean" then
    return function(value) return value ~= 0 and "true" or "false" end
  end
  local format = spec.format
  return format and function(value) return number_format.write(value, format) end
end

local build  -- level, nodes, condition, path -> function(row, answer)

local function build_metric(at, node, condition, path)
  local spec, numbers = node.spec, {}
  for i, one in ipairs(spec.aggregates) do
    numbers[i] = at:add(condition and aggregate.where(one, condition) or one)
  end
  for name, i in pairs(spec.paths) do at.paths[path .. node.name .. "." .. name] = numbers[i] end
  local text, show, values = text_of(at, spec), spec.show, {}  -- values are used again for every row
  return function(row)
    for i = 1, #numbers do values[i] = row and at:value(numbers[i], row) or nil end
    return show(values, text)
  end
end

local function build_part(at, node, part, condition, path)
  local both = condition and condition & part.filter or part.filter
  local number = at:add(aggregate.count(both))
  at.paths[path .. node.name], at.paths[path .. node.name .. "._count"] = number, number
  local fill = build(at, node.subs, both, path .. node.name .. ">")
  return function(row)
    local count = row and at:value(number, row) or 0
    return fill(row, { doc_count = math.tointeger(count) })
  end
end

local function build_partition(at, node, condition, path)
  local parts = {}
  for i, part in ipairs(node.spec.parts) do parts[i] = build_part(at, node, part, condition, path) end
  return function(row)
    local buckets = {}
    for i, answer in ipairs(parts) do buckets[i] = answer(row) end
    return node.spec.show(buckets)
  end
end

local function build_grouping(at, node, condition)
  local child = at:child(node.spec, condition)
  local fill = build(child, node.subs, nil, "")
  return function(row)
    return node.spec.show(child, child:rows_of(row), function(child_row) return fill(child_row, {}) end)
  end, child
end

local BUILDERS = { metric = build_metric, partition = build_partition, grouping = build_grouping }

--- Types as `typed_keys` names them, where they differ.
local TYPED = { percentiles = "tdigest_percentiles", percentile_ranks = "tdigest_percentile_ranks" }

local function typed_name(node, child)
  local type = node.spec.typed and node.spec.typed(child) or TYPED[node.type] or node.type
  return type .. "#" .. node.name
end

function build(at, nodes, condition, path)
  local answers, children = {}, {}
  for i, node in ipairs(nodes) do
    answers[i], children[i] = BUILDERS[node.kind](at, node, condition, path)
  end
  return function(row, answer)
    for i = 1, #nodes do
      local node, one = nodes[i], answers[i](row)
      one.meta = node.meta
      answer[at.typed_keys and typed_name(node, children[i]) or node.name] = one
    end
    return answer
  end
end

--- Lets nodes look at the indices that they are to work on.
local function prepare(nodes, indices)
  for _, node in ipairs(nodes) do
    local ok, err = true, nil
    if node.spec.prepare then ok, err = node.spec:prepare(indices) end
    if not ok then return nil, err end
    ok, err = prepare(node.subs, indices)
    if not ok then return nil, err end
  end
  return true
end

--- Compiles a tree of aggregations without running it.
-- @return true, or nil and an error
function aggregation.check(indices, filter, nodes)
  local ok, err = prepare(nodes, indices)
  if not ok then return nil, err end
  local root = level.root(indices, filter)
  build(root, nodes, nil, "")
  return root:check()
end

--- Works out a tree of aggregations, and how many rows there are.
-- @param connection of the store
-- @tparam table indices a list of `{ name =, mapping = }`
-- @param filter of the search
-- @tparam table nodes from @{read}
-- @tparam[opt] table options `typed_keys`: names begin with their type
-- @treturn integer rows for which the filter holds
-- @treturn table the answer's `aggregations`
-- @return or nil and an error
function aggregation.run(connection, indices, filter, nodes, options)
  local ok, err = prepare(nodes, indices)
  if not ok then return nil, err end
  local root = level.root(indices, filter)
  root.typed_keys = options and options.typed_keys
  local fill = build(root, nodes, nil, "")
  ok, err = root:run(connection)
  if not ok then return nil, err end
  return root.data.counts[1], fill(1, {})
end

return aggregation
