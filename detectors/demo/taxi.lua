-- Rides in New York's taxis, every half hour; README.md says where the series is from.
return detector "taxi" {
  description = "Days that do not look like the days before them",
  source   = "nyc-taxi",
  time     = "timestamp",
  interval = "30m",
  model    = ensemble { sensitivity = "medium" },
  features = { feature("rides", sum("value")) },
}
