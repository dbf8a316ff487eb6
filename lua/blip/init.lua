--- Blip, an anomaly-detection server.
-- @module blip
return { _NAME = "blip" }
