-- Share of 5xx answers and tail latency, one model per service and region.
local failed = range("status", { gte = 500 })

return detector "http_errors" {
  source   = "logs-nginx",
  time     = "@timestamp",
  filter   = term("env", "prod") & ~term("path", "/healthz"),
  category = { "service", "region" },       -- each pair of values is one entity

  interval = "1m",                          -- one bucket
  delay    = "30s",                         -- time allowed for late rows
  model    = ensemble { sensitivity = "medium" },   -- the default; forest { shingle = 8 } is another

  features = {                              -- this order is the vector's order
    feature("error_rate", count(failed) / count()),
    feature("p99_ms", percentile("took_ms", 99)),
    feature("retry_pressure", { retries = sum("retries"), calls = count() }, function(b)
      return math.log(1 + b.retries / math.max(b.calls, 1))
    end),
  },

  on_anomaly = function(anomaly)
    if anomaly.grade >= 0.7 and anomaly.confidence >= 0.9 then
      log.warn("%s in %s: %s", anomaly.entity.service, anomaly.entity.region, anomaly.cause)
    end
  end,
}
