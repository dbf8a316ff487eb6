-- The vectors are those of elastic-model, chapter 13; the rules those of chapters 9 to 11.
local parts = require "runtime.tree_parts"
local score = require "runtime.score_parts".score

local function close(want, got, tolerance)
  assert.is_true(math.abs(got - want) <= tolerance, ("%.10g is not %.10g"):format(got, want))
end

local function near(want, got) close(want, got, math.abs(want) * 5e-6) end

local function tree(detectors, influencers, bytes)
  return assert(parts.tree({ bucket_span_s = 1800, detectors = detectors,
    influencers = influencers }, bytes))
end

local function single() return tree { { "mean", field = "x" } } end

--- Closes so many buckets in which nothing happens.
local function calm(t, buckets, leaves)
  for _ = 1, buckets do assert(t:close(leaves or { { p = 0.5 } })) end
end

describe("runtime.job tree: aggregation", function()
  it("makes the root of a one-detector job less sure than its record", function()
    local want = { [1e-2] = 0.01190476, [1e-4] = 1.249375e-4, [1e-6] = 3.870393e-6,
      [1e-10] = 2.442053e-9 }
    for p, root in pairs(want) do
      local bucket = single():close { { p = p } }
      near(root, bucket.root.p)
      close(0.8 * score(p), bucket.root.raw, 1e-6)
      assert.equal(p, bucket.leaves[1].p)
    end
  end)

  it("weighs two detectors against each other", function()
    local t = tree { { "mean", field = "x" }, { "mean", field = "y" } }
    local bucket = t:close { { detector = 1, p = 1e-4 }, { detector = 2, p = 0.5 } }
    close(0.296219, bucket.root.raw, 5e-7)
  end)

  it("has a root without any leaf", function()
    local bucket = single():close {}
    assert.equal(1, bucket.root.p)
    assert.equal(0, bucket.score)
    assert.is_true(bucket.root.written)
  end)

  it("joins the values of a by field, and takes the extreme of a population", function()
    local leaves = {}
    for i = 1, 20 do leaves[i] = { person = "v" .. i, p = 0.02 } end
    local by = tree { { "count", by = "v" } }:close(leaves)
    local over = tree { { "count", over = "v" } }:close(leaves)
    assert.is_true(by.root.raw > 1)
    assert.equal(0, over.root.raw)
  end)

  it("takes the extreme of partitions", function()
    local leaves = {}
    for i = 1, 1000 do leaves[i] = { partition = "h" .. i, p = 0.3 } end
    leaves[500].p = 1e-6
    local t = tree { { "mean", field = "x", partition = "host" } }
    local bucket = t:close(leaves)
    -- the partition field's node makes one in a thousand of it, then the root is over one node
    local node = 1 / (20 + 9980 * 0.8 * score(9.99501e-4))
    close(0.8 * score(node), bucket.root.raw, 1e-6)
  end)

  it("makes a node of a person that two detectors see", function()
    local detectors = { { "mean", field = "x", by = "user" }, { "max", field = "x", by = "user" } }
    local leaves = { { detector = 1, person = "ann", p = 1e-3 },
      { detector = 2, person = "ann", p = 1e-3 }, { detector = 1, person = "bob", p = 0.5 },
      { detector = 2, person = "bob", p = 0.5 } }
    local together = tree(detectors):close(leaves)
    detectors[2].by = "host"
    local apart = tree(detectors):close(leaves)
    assert.are_not.equal(together.root.raw, apart.root.raw)
  end)

  it("shows partition values that have several series", function()
    local t = tree { { "mean", field = "x", by = "user", partition = "region" } }
    local bucket = t:close {
      { partition = "eu", person = "ann", p = 1e-8 }, { partition = "eu", person = "bob", p = 0.4 },
      { partition = "us", person = "ann", p = 0.5 }, { partition = "us", person = "bob", p = 0.6 },
    }
    assert.equal(2, #bucket.partitions)
    local eu, us = bucket.partitions[1], bucket.partitions[2]
    if eu.leaf > 2 then eu, us = us, eu end
    assert.is_true(eu.written and eu.raw > 0)
    assert.is_false(us.written)
  end)

  it("does not depend on the order of the leaves", function()
    local t, u = tree({ { "count", by = "v", partition = "w" } }, { "host" }),
      tree({ { "count", by = "v", partition = "w" } }, { "host" })
    local leaves, mixed = {}, {}
    for i = 1, 60 do
      leaves[i] = { person = "v" .. i % 20, partition = "w" .. i // 20, p = i * 0.7 % 1 ^ 3,
        influences = { { influencer = 1, value = "h" .. i % 4, p = i * 0.7 % 1 } } }
    end
    for i = 1, 60 do mixed[i] = leaves[(i * 7) % 60 + 1] end
    local a, b = t:close(leaves), u:close(mixed)
    assert.equal(a.root.p, b.root.p)
    assert.equal(a.score, b.score)
    for i, pivot in ipairs(a.pivots) do assert.equal(pivot.p, b.pivots[i].p) end
  end)

  it("makes a loud detector's words count by their rank", function()
    local t = tree { { "mean", field = "x" }, { "mean", field = "y" } }
    for i = 1, 60 do
      t:close { { detector = 1, p = 10 ^ -(8 + i % 7) }, { detector = 2, p = 10 ^ -(2 + i % 7 / 7) } }
    end
    local usual = t:close { { detector = 1, p = 1e-10 }, { detector = 2, p = 0.9 } }
    local fresh = tree { { "mean", field = "x" }, { "mean", field = "y" } }
      :close { { detector = 1, p = 1e-10 }, { detector = 2, p = 0.9 } }
    assert.is_true(usual.root.raw < fresh.root.raw)
  end)

  it("refuses what is no probability and what is not there", function()
    local t = single()
    for _, leaf in ipairs { { p = 1.5 }, { p = -1 }, { p = 0 / 0 }, { detector = 9 },
      { influences = { { influencer = 1, value = "a", p = 0.1 } } } } do
      local bucket, err = t:close { leaf }
      assert.is_nil(bucket)
      assert.equal("invalid", err.kind)
    end
  end)
end)

describe("runtime.job tree: influencers", function()
  local function named(p, ...)
    local influences = {}
    for i, value in ipairs { ... } do influences[i] = { influencer = 1, value = value, p = p } end
    return influences
  end

  it("makes one pivot per value over the leaves that name it", function()
    local t = tree({ { "mean", field = "x", by = "v" } }, { "host" })
    local bucket = t:close {
      { person = "a", p = 1e-6, influences = named(1e-6, "web-1") },
      { person = "b", p = 1e-5, influences = named(1e-5, "web-1", "web-2") },
      { person = "c", p = 0.7 },
    }
    assert.equal(2, #bucket.pivots)
    assert.equal(1, #bucket.pivot_roots)
    local strong, weak = bucket.pivots[1], bucket.pivots[2]
    if strong.raw < weak.raw then strong, weak = weak, strong end
    assert.is_true(strong.raw > weak.raw and weak.raw > 0)
    assert.is_true(strong.written and weak.written)
  end)

  it("weakens a pivot by its influence", function()
    local t = tree({ { "mean", field = "x" } }, { "host" })
    local bucket = t:close { { p = 1e-8, influences = {
      { influencer = 1, value = "all", p = 1e-8 }, { influencer = 1, value = "half", p = 1e-4 } } } }
    local all, half = bucket.pivots[1], bucket.pivots[2]
    if all.influence ~= 1 then all, half = half, all end
    close(0.8 * score(1e-8), all.raw, 1e-6)
    close(0.8 * score(1e-4), half.raw, 1e-6)
  end)

  it("lets a partition's node stand for its series", function()
    local detectors = { { "mean", field = "x", by = "user", partition = "region" } }
    local leaves = {}
    for i, p in ipairs { 1e-6, 0.3, 0.5 } do
      leaves[i] = { partition = "eu", person = "u" .. i, p = p,
        influences = { { influencer = 1, value = "eu", p = p } } }
    end
    local bucket = tree(detectors, { "region" }):close(leaves)
    assert.equal(1, #bucket.pivots)
    close(0.8 * score(bucket.partitions[1].p), bucket.pivots[1].raw, 1e-9)
    -- in a job of another influencer the series count one by one
    local other = tree(detectors, { "host" }):close(leaves)
    assert.are_not.equal(bucket.pivots[1].raw, other.pivots[1].raw)
  end)

  it("gives the bucket the largest score of its influencers", function()
    local t = tree({ { "mean", field = "x", by = "v" } }, { "host" })
    calm(t, 100, { { person = "a", p = 0.5 } })
    local bucket = t:close { { person = "a", p = 1e-9, influences = named(1e-9, "web-1") } }
    local largest = bucket.root.score
    for _, root in ipairs(bucket.pivot_roots) do largest = math.max(largest, root.score) end
    assert.equal(largest, bucket.score)
    assert.is_true(bucket.score > 50)
  end)

  it("never writes an influencer without a record under it", function()
    local t = tree({ { "count", by = "v" }, { "mean", field = "x", by = "v" } }, { "host", "user" })
    for round = 1, 200 do
      local leaves = {}
      for i = 1, 12 do
        local p = ((round * 31 + i * 17) % 101 / 101) ^ 3
        leaves[i] = { detector = i % 2 + 1, person = "v" .. i % 5, p = p, influences = {
          { influencer = i % 2 + 1, value = "n" .. i % 3, p = p ^ 0.6 } } }
      end
      local bucket = t:close(leaves)
      local recorded = {}
      for _, leaf in ipairs(bucket.records) do recorded[leaves[leaf].influences[1].value
        .. leaves[leaf].influences[1].influencer] = true end
      for _, pivot in ipairs(bucket.pivots) do
        local value = leaves[pivot.leaf].influences[pivot.influence].value
        if pivot.written then assert.is_true(recorded[value .. pivot.influencer]) end
      end
    end
  end)
end)

describe("runtime.job tree: what is written", function()
  local detectors = { { "count", by = "v" }, { "mean", field = "x", by = "v" } }

  it("writes what is below 3.5 %", function()
    local bucket = tree(detectors):close { { person = "a", p = 0.034 }, { person = "b", p = 0.2 } }
    assert.same({ 1 }, bucket.records)
    assert.is_true(bucket.leaves[1].written)
    assert.is_false(bucket.leaves[2].written)
  end)

  it("writes nothing but the bucket when nothing is improbable", function()
    local bucket = tree(detectors):close { { person = "a", p = 0.5 } }
    assert.same({}, bucket.records)
    assert.is_true(bucket.root.written)
  end)

  it("writes the most improbable of many that are improbable only together", function()
    local leaves = {}
    for i = 1, 50 do leaves[i] = { person = "v" .. i, p = 0.05 + i / 1000 } end
    local bucket = tree { { "count", by = "v" } }:close(leaves)
    assert.is_true(bucket.root.p < 0.035)
    assert.same({ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 }, bucket.records)
  end)

  it("orders records by detector, then by probability", function()
    local bucket = tree(detectors):close {
      { detector = 2, person = "a", p = 1e-9 }, { detector = 1, person = "b", p = 0.01 },
      { detector = 1, person = "c", p = 0.001 }, { detector = 2, person = "d", p = 1e-12 },
    }
    assert.same({ 3, 2, 4, 1 }, bucket.records)
  end)

  it("drops the most probable beyond the limit", function()
    local bucket = tree(detectors):close({
      { detector = 2, person = "a", p = 1e-9 }, { detector = 1, person = "b", p = 0.01 },
      { detector = 1, person = "c", p = 0.001 }, { detector = 2, person = "d", p = 1e-12 },
    }, { limit = 2 })
    assert.same({ 4, 1 }, bucket.records)
    assert.is_false(bucket.leaves[2].written)
  end)
end)

describe("runtime.job tree: scores", function()
  it("scores the first anomaly of a calm job high", function()
    local t = single()
    calm(t, 500)
    local bucket = t:close { { p = 1e-9 } }
    assert.is_true(bucket.leaves[1].score > 85)
    assert.is_true(bucket.score > 85)
  end)

  it("lowers an anomaly once a larger one was seen, and says so", function()
    local t = single()
    calm(t, 300)
    local first = t:close { { p = 1e-6 } }
    assert.is_false(first.changed)
    calm(t, 10)
    local second = t:close { { p = 1e-60 } }
    assert.is_true(second.changed)
    local now = t:rescore { level = "record", detector = 1, p = 1e-6 }
    assert.is_true(now < first.leaves[1].score / 2)
    assert.is_true(parts.moved(first.leaves[1].score, now))
  end)

  it("scores a stored result again as it was scored first", function()
    local t = tree({ { "mean", field = "x", by = "v", partition = "w" } }, { "host" })
    calm(t, 50, { { person = "a", partition = "p", p = 0.4 } })
    local bucket = t:close { { person = "a", partition = "p", p = 1e-7,
      influences = { { influencer = 1, value = "web-1", p = 1e-6 } } } }
    local record = t:rescore { level = "record", person = "a", partition = "p", p = 1e-7 }
    local pivot = t:rescore { level = "influencer", value = "web-1", p = bucket.pivots[1].p }
    local root = t:rescore { level = "bucket", p = bucket.root.p }
    close(bucket.leaves[1].score, record, 1e-9)
    close(bucket.pivots[1].score, pivot, 1e-6)
    close(bucket.root.score, root, 1e-6)
  end)

  it("learns nothing from interim results", function()
    local t = single()
    calm(t, 100)
    local before = t:save()
    local bucket = t:close({ { p = 1e-9 } }, { interim = true })
    assert.is_true(bucket.leaves[1].score > 50)
    assert.equal(before, t:save())
  end)

  it("does not learn from a leaf that a rule keeps from learning", function()
    local t = single()
    calm(t, 100)
    t:close { { p = 1e-30, unlearned = true } }
    assert.is_true(t:rescore { level = "record", p = 1e-5 } > 75)
    t:close { { p = 1e-30 } }
    assert.is_true(t:rescore { level = "record", p = 1e-5 } < 75)
  end)

  it("compares the members of a population with each other", function()
    local t = tree { { "count", over = "user" } }
    calm(t, 100, { { person = "ann", p = 0.4 }, { person = "bob", p = 0.5 } })
    t:close { { person = "ann", p = 1e-40 } }
    assert.is_true(t:rescore { level = "record", person = "bob", p = 1e-5 } < 50)
  end)

  it("counts the values of an influencer that no leaf names as calm", function()
    local t = tree({ { "mean", field = "x" } }, { "host" })
    for _ = 1, 100 do t:close({ { p = 0.5 } }, { seen = { 20 } }) end
    local bucket = t:close({ { p = 1e-9, influences = {
      { influencer = 1, value = "web-1", p = 1e-9 } } } }, { seen = { 20 } })
    assert.is_true(bucket.pivots[1].score > 90)
  end)

  it("tells a score that moved from one that did not", function()
    assert.is_true(parts.moved(24.9, 25.1))
    assert.is_true(parts.moved(30, 31.5))
    assert.is_true(parts.moved(0.3, 0.09))
    assert.is_false(parts.moved(30, 31.4))
    assert.is_false(parts.moved(0.3, 0.11))
    assert.is_false(parts.moved(0, 0))
    assert.is_false(parts.moved(99, 100))
  end)

  it("keeps scores within 0 and 100", function()
    local t = single()
    for i = 1, 400 do
      local bucket = t:close { { p = 10 ^ -(i * 37 % 320) } }
      assert.is_true(bucket.score >= 0 and bucket.score <= 100)
    end
  end)
end)

describe("runtime.job tree: saving", function()
  local detectors = { { "count", by = "v" }, { "mean", field = "x", by = "v" } }

  local function leaves_of(round)
    local leaves = {}
    for i = 1, 6 do
      local p = ((round * 31 + i * 17) % 101 / 101) ^ 8
      leaves[i] = { detector = i % 2 + 1, person = "v" .. i // 2, p = p, influences = {
        { influencer = 1, value = "h" .. i % 3, p = p } } }
    end
    return leaves
  end

  it("goes on as if it had not been saved", function()
    local t = tree(detectors, { "host" })
    for round = 1, 100 do t:close(leaves_of(round)) end
    local u = tree(detectors, { "host" }, t:save())
    for round = 101, 160 do
      assert.same(t:close(leaves_of(round)), u:close(leaves_of(round)))
    end
    assert.equal(t:save(), u:save())
  end)

  it("refuses the bytes of another job", function()
    local bytes = tree(detectors, { "host" }):save()
    local t, err = parts.tree({ detectors = { { "count" } } }, bytes)
    assert.is_nil(t)
    assert.equal("invalid", err.kind)
  end)

  it("refuses bytes that are cut short", function()
    local t = tree(detectors, { "host" })
    for round = 1, 20 do t:close(leaves_of(round)) end
    local bytes = t:save()
    for size = 0, #bytes - 1, 13 do
      local u, err = parts.tree({ detectors = detectors, influencers = { "host" } },
        bytes:sub(1, size))
      assert.is_nil(u)
      assert.equal("invalid", err.kind)
    end
  end)
end)
