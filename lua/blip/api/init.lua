--- The route modules, in the order in which they are loaded.
-- Each returns `routes`: a table of handlers by method and pattern,
--     routes["GET /{index}/_search"] = needs("indices:data/read/search", function(request) ... end)
-- A literal segment beats a `{parameter}`; a pattern that two modules define is an error.
-- @module blip.api
return {
  "blip.api.cluster",
  "blip.api.cat",
  "blip.api.indices",
  "blip.api.aliases",
  "blip.api.documents",
  "blip.api.field_caps",
  "blip.api.search",
  "blip.api.blip",
  "blip.api.opensearch.cluster_settings",
  "blip.api.opensearch.detectors",
  "blip.api.opensearch.jobs",
  "blip.api.opensearch.preview",
  "blip.api.opensearch.profile",
  "blip.api.opensearch.run_once",
  "blip.api.opensearch.searches",
  "blip.api.opensearch.stats",
  "blip.api.opensearch.top_anomalies",
  "blip.api.opensearch.validate",
}
