-- The same half hours through the engine of jobs: it learns the day and the week, and judges what is
-- left by its distribution; what is busy and what is quiet are judged apart. Compare the two with
--     build/release/blip run detectors/demo/taxi_seasonal.lua --source detectors/demo/nyc_taxi.csv
return detector "taxi-seasonal" {
  source   = "nyc-taxi",
  time     = "timestamp",
  interval = "30m",
  features = { feature("busy", sum("value")), feature("quiet", sum("value")) },
  model    = seasonal { functions = { busy = "high_mean", quiet = "low_mean" } },
}
