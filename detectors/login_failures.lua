-- Password guessing: refused logins per minute, and how many accounts they aim at.
-- One person who forgot a password raises the first number a little; somebody who tries a list
-- of accounts raises both.
local refused = term("event", "login") & term("outcome", "failure")

return detector "login_failures" {
  source   = "auth-*",
  time     = "@timestamp",
  interval = "5m",
  delay    = "30s",

  features = {
    feature("refused", count(refused)),
    feature("accounts", cardinality("user", refused)),
  },

  on_anomaly = function(anomaly)
    log.warn("unusual login failures (grade %.2f): %s", anomaly.grade, anomaly.cause)
  end,
}
