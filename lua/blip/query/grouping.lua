--- The aggregations whose buckets come from the rows.
--
-- One entry of `groupings` reads one type's body and returns a grouping:
--
--     keys(from)         list of { sql =, shown =, type =, nullable = }: SQL of each key over the
--                        rows, and of what the answer shows of it (`shown(sql)`)
--     where(places, bind)  SQL over the shown keys that drops buckets, nil for none
--     top                { size =, order =, least = }: the first buckets alone, per parent
--     order(places)      SQL of the buckets' order; by key when nil
--     limit              of buckets in all
--     show(level, list, sub)  the answer for one parent: `list` are its rows in level.data,
--                        `sub(row)` starts a bucket with what its sub-aggregations came to
--
-- @module blip.query.grouping
local composite = require "blip.query.composite"
local histogram = require "blip.query.histogram"
local terms = require "blip.query.terms"

return {
  composite = composite.read,
  date_histogram = histogram.read_date,
  histogram = histogram.read_number,
  terms = terms.read,
}
