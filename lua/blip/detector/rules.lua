--- Suppression rules (opensearch-ad.md 4.9): what a detector is not to call an anomaly.
-- Margins and ratios go to the model, which does not see such deviations; rules that only
-- compare are applied to what it found.
-- @module blip.detector.rules
local rules = {}

local MARGINS = {
  ACTUAL_OVER_EXPECTED_MARGIN = "above",
  EXPECTED_OVER_ACTUAL_MARGIN = "below",
  ACTUAL_OVER_EXPECTED_RATIO = "above_ratio",
  EXPECTED_OVER_ACTUAL_RATIO = "below_ratio",
}

-- Feature name -> its place in the vector.
local function positions(d)
  local at = {}
  for i, feature in ipairs(d.features) do at[feature.name] = i end
  return at
end

--- Deviations that the model takes for normal.
-- @treturn table for each feature `{ [above =], [below =], [above_ratio =], [below_ratio =] }`
function rules.ignored(d)
  local list, at = {}, positions(d)
  for i = 1, #d.features do list[i] = {} end
  for _, rule in ipairs(d.rules) do
    for _, condition in ipairs(rule) do
      local margin = MARGINS[condition.type]
      if margin then list[at[condition.feature]][margin] = condition.value end
    end
  end
  return list
end

local COMPARISONS = {
  ACTUAL_IS_OVER_EXPECTED = function(actual, expected) return actual > expected end,
  ACTUAL_IS_BELOW_EXPECTED = function(actual, expected) return actual < expected end,
}

-- The comparisons of each rule that has any: lists of { at = feature's position, holds = f }.
local function comparing(d)
  local at, found = positions(d), {}
  for _, rule in ipairs(d.rules) do
    local list = {}
    for _, condition in ipairs(rule) do
      local holds = COMPARISONS[condition.type]
      if holds then list[#list + 1] = { at = at[condition.feature], holds = holds } end
    end
    if #list > 0 then found[#found + 1] = list end
  end
  return found
end

-- The feature that an anomaly is blamed on most.
local function most_blamed(d, frame, row)
  local most, share = 1, -1
  for i = 1, #d.features do
    local contribution = frame:get(row, "contribution_" .. i) or 0
    if contribution > share then most, share = i, contribution end
  end
  return most
end

local function applies(rule, frame, row, blamed)
  for _, condition in ipairs(rule) do
    local expected = frame:get(row, "expected_" .. condition.at)
    local actual = frame:get(row, "past_" .. condition.at) or frame:get(row, "f" .. condition.at)
    if condition.at ~= blamed or not expected or not actual or not condition.holds(actual, expected) then
      return false
    end
  end
  return true
end

--- Takes the grade of anomalies that a comparing rule excuses.
function rules.suppress(d, frame)
  local comparisons = comparing(d)
  if #comparisons == 0 then return end
  for _, row in ipairs(frame:above("grade", 0)) do
    local blamed = most_blamed(d, frame, row)
    for _, rule in ipairs(comparisons) do
      if applies(rule, frame, row, blamed) then frame:set(row, "grade", 0.0) end
    end
  end
end

return rules
