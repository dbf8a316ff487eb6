local failed = range("a", { gte = 1, lt = "x" }) & ~term("b", true) | terms("c", { 1 }) | exists("d")
local text = ("%d %s"):format(1, "a,b"):gsub("(%w+),?", "%1"):rep(2):upper()
return { detector "one" {
  source = "s", time = "t", interval = "1m", delay = "5s", category = { "c" }, filter = failed,
  model = forest { shingle = 8 }, history = 10, description = text,
  features = {
    feature("f", count(failed) / count() - 1 + percentile("x", 99) * 2),
    feature("g", { n = sum("y") }, function(b) return math.log(1 + b.n) end),
  },
  on_anomaly = function(a) log.info("%s", a.cause) end,
}, detector "two" {
  source = { "s" }, time = "t", interval = "1h", features = { feature("h", avg("z")) },
  model = script { new = function() return {} end, push = function(self, row) return 1 end },
} }
