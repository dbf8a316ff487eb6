-- A disk that fills faster than it does: bytes that a host's volume gained in ten minutes.
-- How full it is says little, some volumes are always full; what changes is the growth.
return detector "disk_growth" {
  source   = "metrics-disk",
  time     = "@timestamp",
  category = { "host", "volume" },

  interval = "10m",
  delay    = "1m",
  model    = forest { shingle = 6 },        -- an hour in one look

  features = {
    feature("growth_bytes", max("used_bytes") - min("used_bytes")),
  },

  on_anomaly = function(anomaly)
    log.warn("%s:%s grows oddly: %s", anomaly.entity.host, anomaly.entity.volume, anomaly.cause)
  end,
}
