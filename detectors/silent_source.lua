-- A source that falls silent, or floods: documents per five minutes, whatever they say.
-- An interval without documents counts as 0; a source with a nightly pause is learned as such.
return detector "silent_source" {
  source   = "logs-*",
  time     = "@timestamp",
  interval = "5m",
  delay    = "1m",

  features = { feature("documents", count()) },

  on_anomaly = function(anomaly)
    log.error("the logs are unusual at %s: %s", os.date("!%H:%M", anomaly.time // 1000), anomaly.cause)
  end,
}
