local model = require "runtime.model"
local parts = require "runtime.model_parts"
local snapshot = require "support.forest_snapshot"

local function load(points, copies, nodes)
  return assert(model.load(snapshot.bytes(points, copies, nodes)))
end

local function sum(list)
  local total = 0
  for _, value in ipairs(list) do total = total + value end
  return total
end

local function assert_near(want, got, what)
  if math.abs(want - got) > 1e-6 * math.max(1, math.abs(want)) then
    error(("%s: expected %.9g, got %.9g"):format(what, want, got), 2)
  end
end

local function numbers(text)
  local list = {}
  for word in text:gmatch "%S+" do list[#list + 1] = tonumber(word) end
  return list
end

--- Trees of the reference file: { points =, copies =, nodes =, queries = { { point =, score =,
-- attribution_high = {}, ... }, ... } }
local function read_trees(path)
  local trees, tree = {}, nil
  for line in io.lines(path) do
    local word, rest = line:match "^%s*(%S+) (.*)$"
    if word == "tree" then
      tree = { points = {}, copies = {}, nodes = {}, queries = {} }
      trees[#trees + 1] = tree
    elseif word == "point" then
      local copies, coordinates = rest:match "copies (%d+) at (.*)$"
      tree.points[#tree.points + 1] = numbers(coordinates)
      tree.copies[#tree.copies + 1] = tonumber(copies)
    elseif word == "node" then
      local dim, cut = rest:match "^(%d+) (%S+)$"
      tree.nodes[#tree.nodes + 1] = { dim = tonumber(dim), cut = tonumber(cut) }
    elseif word == "leaf" then
      tree.nodes[#tree.nodes + 1] = { leaf = tonumber(rest) + 1 }
    elseif word == "query" then
      tree.queries[#tree.queries + 1] = { point = numbers(rest) }
    else
      tree.queries[#tree.queries][word] = numbers(rest)
    end
  end
  return trees
end

local function assert_list(want, got, what)
  for i, value in ipairs(got) do assert_near(want[i], value, what .. " " .. i) end
end

describe("runtime.model tree", function()
  it("says of three trees what the Java library says", function()
    local trees = read_trees "tests/runtime/model/golden/forest_trees.txt"
    assert.equal(3, #trees)
    for number, tree in ipairs(trees) do
      local m = load(tree.points, tree.copies, tree.nodes)
      local dims = #tree.points[1]
      for at, query in ipairs(tree.queries) do
        local what = ("tree %d query %d "):format(number, at)
        local got = assert(parts.probe(m, query.point, { [dims] = true }))
        assert_near(query.score[1], got.score, what .. "score")
        assert_list(query.attribution_high, got.high, what .. "high")
        assert_list(query.attribution_low, got.low, what .. "low")
        assert_list(query.distance_high, got.above, what .. "above")
        assert_list(query.distance_low, got.below, what .. "below")
        assert_list(query.leaf_reached, got.neighbours[1].point, what .. "leaf")
        assert_near(query.leaf_reached[#query.leaf_reached], got.neighbours[1].distance, what .. "distance")
        assert_list(query.imputed_last_coordinate, got.imputed, what .. "last")
        if query.imputed_first_two then
          got = assert(parts.probe(m, query.point, { true, true }))
          assert_list(query.imputed_first_two, got.imputed, what .. "first two")
        end
      end
    end
  end)

  it("scores by hand: one point", function()
    local m = load({ { 5 } }, {}, { { leaf = 1 } })
    assert_near(0.5, parts.probe(m, { 5 }).score, "the point itself")
    assert_near(1, parts.probe(m, { 7 }).score, "another")
  end)

  it("scores by hand: two points, whatever the cut", function()
    for _, cut in ipairs { 0.001, 0.5, 0.999 } do
      local m = load({ { 0 }, { 1 } }, {}, { { dim = 0, cut = cut }, { leaf = 1 }, { leaf = 2 } })
      assert_near(1.320802, parts.probe(m, { 3 }).score, "outside")
      assert_near(0.792481, parts.probe(m, { 0.5 }).score, "between")
      assert_near(0.594361, parts.probe(m, { 1 }).score, "on a point")
    end
  end)

  it("scores by hand: copies", function()
    local m = load({ { 0 }, { 10 } }, { 3 }, { { dim = 0, cut = 4 }, { leaf = 1 }, { leaf = 2 } })
    assert_near(0.483735, parts.probe(m, { 0 }).score, "on three copies")
    assert_near(1.015843, parts.probe(m, { 10 }).score, "on one")
    assert_near(1.741446, parts.probe(m, { 20 }).score, "outside")
  end)

  it("splits a score into its coordinates and directions", function()
    local m = load({ { 0, 0 }, { 1, 4 }, { 3, 2 } }, {},
      { { dim = 0, cut = 2 }, { dim = 1, cut = 1 }, { leaf = 1 }, { leaf = 2 }, { leaf = 3 } })
    for _, point in ipairs { { 9, 2 }, { -3, 3 }, { 1, 4 }, { 2, 2 }, { 1e30, -1e30 } } do
      local got = parts.probe(m, point)
      assert_near(got.score, sum(got.high) + sum(got.low), "sum")
    end
    local right = parts.probe(m, { 9, 2 })
    assert.is_true(right.high[1] > 0.99 * right.score)
  end)

  it("refuses a tree whose cuts do not separate its points", function()
    local points = { { 0 }, { 1 } }
    for _, nodes in ipairs {
      { { dim = 0, cut = 2 }, { leaf = 1 }, { leaf = 2 } }, -- both on the left
      { { dim = 0, cut = 0.5 }, { leaf = 2 }, { leaf = 1 } }, -- on the wrong sides
      { { dim = 0, cut = 0.5 }, { leaf = 1 }, { leaf = 1 } }, -- one twice
      { { dim = 1, cut = 0.5 }, { leaf = 1 }, { leaf = 2 } }, -- no such dimension
      { { dim = 0, cut = 0.5 }, { leaf = 1 } }, -- one missing
      { { leaf = 1 } },
    } do
      local m, err = model.load(snapshot.bytes(points, {}, nodes))
      assert.is_nil(m)
      assert.equal("invalid", err.kind)
    end
  end)
end)
