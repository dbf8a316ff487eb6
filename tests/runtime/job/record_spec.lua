-- Bodies of _data: how records are read out of them and counted.
local gather = require "runtime.gather"
local gathering = require "support.gathering"

local MEAN_BY_HOST = { detectors = { { ["function"] = "sum", field = "v", by = "host" } } }

--- What a body's values are, by host, over one bucket.
local function read(body, config)
  local whole = { detectors = MEAN_BY_HOST.detectors }
  for name, value in pairs(config or {}) do whole[name] = value end
  local g = gathering.new(whole)
  local counts = gathering.post(g, body)
  local buckets = gathering.close(g, 60)
  return buckets[1] and gathering.values(buckets[1], "by") or {}, counts
end

describe("a body of JSON", function()
  it("may be lines", function()
    local values = read '{"time":0,"host":"a","v":1}\n{"time":1,"host":"b","v":2}\r\n\n'
    assert.same({ a = 1.0, b = 2.0 }, values)
  end)

  it("may be objects back to back, over several lines", function()
    local values = read('{"time":0,\n "host":"a",\n "v":1}{"time":1,"host":"b","v":2}'
      .. ' {"time":2,"host":"c","v":3}')
    assert.same({ a = 1.0, b = 2.0, c = 3.0 }, values)
  end)

  it("may hold quotes and brackets in texts", function()
    local values = read [[{"time":0,"host":"}\"]{","v":1}{"time":1,"host":"\\","v":2}]]
    assert.same({ ['}"]{'] = 1.0, ["\\"] = 2.0 }, values)
  end)

  it("may be one array of objects", function()
    local values = read '[{"time":0,"host":"a","v":1},\n{"time":1,"host":"b","v":2}]\n'
    assert.same({ a = 1.0, b = 2.0 }, values)
  end)

  it("may have very many objects on one line", function()
    for _, form in ipairs { { "[", ",", "]" }, { "", "", "" } } do
      local objects = ('{"time":0,"host":"a","v":1}' .. form[2]):rep(200000)
      local body = form[1] .. objects:sub(1, #objects - #form[2]) .. form[3]
      local values, counts = read(body)
      assert.same({ a = 200000.0 }, values)
      assert.equal(200000, counts.processed_record_count)
    end
  end)

  it("may end anywhere without a line end", function()
    for padding = 0, 70 do
      local values = read(('{"time":0,"host":"a","v":1,"x":"%s"}'):format(("y"):rep(padding)))
      assert.same({ a = 1.0 }, values)
    end
  end)

  it("has dotted names for nested fields", function()
    local values = read('{"time":0,"h":{"o":{"st":"a"}},"v":4}',
      { detectors = { { ["function"] = "sum", field = "v", by = "h.o.st" } } })
    assert.same({ a = 4.0 }, values)
  end)

  it("takes a name with dots as the same field", function()
    local values = read('{"time":0,"h.o":"a","v":4}', { detectors = { { ["function"] = "sum", field = "v",
      by = "h.o" } } })
    assert.same({ a = 4.0 }, values)
  end)

  it("joins arrays of scalars with commas", function()
    assert.same({ ["x,1,true,"] = 1.0 }, (read '{"time":0,"host":["x",1,true,null],"v":1}'))
  end)

  it("passes over arrays of objects", function()
    local values, counts = read '{"time":0,"host":[{"a":1}],"v":1}'
    assert.same({}, values)
    assert.equal(1, counts.missing_field_count)
    assert.equal(1, counts.input_field_count)
  end)

  it("takes numbers and booleans in their text form", function()
    local values = read '{"time":0,"host":7,"v":1}{"time":0,"host":1.50,"v":2}{"time":0,"host":true,"v":3}'
    assert.same({ ["7"] = 1.0, ["1.50"] = 2.0, ["true"] = 3.0 }, values)
  end)

  it("takes null as empty text in a field that is there", function()
    local values, counts = read '{"time":0,"host":null,"v":1}'
    assert.same({}, values)
    assert.equal(0, counts.missing_field_count)
  end)

  it("unescapes texts and names", function()
    assert.same({ ['ä"\n'] = 1.0 }, (read [[{"time":0,"h\u006fst":"\u00e4\"\n","v":1}]]))
  end)

  it("takes a value that is a text of a number", function()
    assert.same({ a = 2.5 }, (read '{"time":0,"host":"a","v":" +2.5 "}'))
  end)

  it("passes over what is no number in a metric's field", function()
    for _, value in ipairs { '"x"', '"1e999"', '"NaN"', '"inf"', "true", "null", '""', "[1,2]" } do
      assert.same({}, (read(('{"time":0,"host":"a","v":%s}'):format(value))), value)
    end
  end)

  it("takes the last of two fields of one name", function()
    assert.same({ a = 2.0 }, (read '{"time":0,"host":"a","v":1,"v":2}'))
  end)
end)

describe("malformed JSON", function()
  it("costs the object that it is in", function()
    local values, counts = read('{"time":0,"host":"a","v":1}\n{"time":0,"host":"b" "v":1}\n'
      .. '{"time":1,"host":"c","v":2}\n')
    assert.same({ a = 1.0, c = 2.0 }, values)
    assert.equal(2, counts.processed_record_count)
    assert.equal(2, counts.input_record_count)
  end)

  it("does not reach over the end of its line", function()
    local values = read('{"time":0,"host":"a\n{"time":1,"host":"c","v":2}\n{"time":0,"x":{\n'
      .. '{"time":1,"host":"d","v":2}\n')
    assert.same({ c = 2.0, d = 2.0 }, values)
  end)

  it("is passed over up to the next object", function()
    assert.same({ c = 2.0 }, (read 'garbage, more {"time":1,"host":"c","v":2} }}'))
  end)

  it("ends the request after a hundred objects", function()
    local g = gathering.new(MEAN_BY_HOST)
    local body = '{"time":0,"host":"a","v":1}\n' .. ("{]}\n"):rep(100)
    assert.truthy(g:post(body))
    local counts, err, taken = g:post(body .. "{]}\n" .. '{"time":0,"host":"b","v":1}\n')
    assert.is_nil(counts)
    assert.equal("invalid", err.kind)
    assert.equal("The input JSON data is malformed.", err.reason)
    assert.equal(1, taken.processed_record_count)
  end)

  it("ends a body of garbage soon, however long", function()
    for _, piece in ipairs { "garbage\n", "{", "{\n", '{"a":"', "\0\1\2\n", '[["', '{"\\' } do
      local g = gathering.new(MEAN_BY_HOST)
      local body = piece:rep(10 * 2 ^ 20 // #piece)
      local _, err = g:post(body)
      assert.is_true(err == nil or err.reason == "The input JSON data is malformed.")
      assert.equal(0, g:counts().processed_record_count)
      assert.is_true(g:size() < 2 ^ 20)
    end
  end)

  it("is also what nests too deeply", function()
    local body = ('{"a":'):rep(5000) .. "1" .. ("}"):rep(5000) .. '\n{"time":1,"host":"c","v":2}'
    assert.same({ c = 2.0 }, (read(body)))
  end)
end)

describe("a record of 10 MB", function()
  it("is read like any other", function()
    local long = ("x"):rep(10 * 2 ^ 20)
    local body = ('{"time":0,"host":"a","v":1,"x":"%s"}\n{"time":0,"host":"%s","v":2}'):format(long, long)
    local values, counts = read(body)
    assert.same({ a = 1.0, [long] = 2.0 }, values)
    assert.equal(2, counts.processed_record_count)
  end)
end)

describe("a delimited body", function()
  local function delimited(body, config)
    local whole = { format = "delimited", delimiter = ",", quote = '"' }
    for name, value in pairs(config or {}) do whole[name] = value end
    return read(body, whole)
  end

  it("names its fields in the first line", function()
    local values, counts = delimited "v,time,x,host\n1,0,,a\n2,1,y,b\r\n\n3,2,z,c"
    assert.same({ a = 1.0, b = 2.0, c = 3.0 }, values)
    assert.equal(9, counts.input_field_count)
  end)

  it("may quote delimiters, line ends and quotes", function()
    assert.same({ ['a,"b"\nc'] = 1.0 }, (delimited 'time,host,v\n0,"a,""b""\nc","1"\n'))
  end)

  it("has tabs and double quotes when nothing else is said", function()
    assert.same({ ["a,b"] = 1.0 }, (read('time\t"host"\tv\n0\ta,b\t1\n', { format = "delimited" })))
  end)

  it("lacks the fields that a short line ends before", function()
    local values, counts = delimited "time,host,v\n0,a\n0,b,1,9,9\n"
    assert.same({ b = 1.0 }, values)
    assert.equal(1, counts.missing_field_count)
  end)

  it("is refused without the time field", function()
    local g = gathering.new { format = "delimited", delimiter = "," }
    local counts, err = g:post "a,b\n1,2\n"
    assert.is_nil(counts)
    assert.equal("invalid", err.kind)
  end)

  it("keeps an open quote to itself", function()
    assert.same({ a = 1.0 }, (delimited 'time,host,v\n0,a,1\n0,"b,1\n0,c,1\n'))
  end)
end)

describe("counts of an upload", function()
  local config = { bucket_span_s = 3600, detectors = { { ["function"] = "metric", field = "responsetime",
    by = "airline" } } }

  it("are those of the suite's example", function()
    local g = gathering.new(config)
    local body = [[
{"airline":"AAL","responsetime":"132.2046","sourcetype":"farequote","time":"1403481600"}
{"airline":"JZA","responsetime":"990.4628","sourcetype":"farequote","time":"1403481700"}]]
    local counts = gathering.post(g, body)
    assert.same({
      processed_record_count = 2, processed_field_count = 4, input_bytes = #body, input_field_count = 6,
      invalid_date_count = 0, missing_field_count = 0, out_of_order_timestamp_count = 0,
      empty_bucket_count = 0, sparse_bucket_count = 0, bucket_count = 0, input_record_count = 2,
      earliest_record_timestamp = 1403481600000, latest_record_timestamp = 1403481700000,
    }, counts)
    assert.same(counts, g:counts())
  end)

  it("tell each missing field, and process the record", function()
    local counts = gathering.post(gathering.new(config), { { time = 0, airline = "A" }, { time = 0 } })
    assert.equal(2, counts.processed_record_count)
    assert.equal(3, counts.missing_field_count)
    assert.equal(1, counts.processed_field_count)
  end)

  it("tell records without a readable time, and drop them", function()
    local counts = gathering.post(gathering.new(config), { { airline = "A" }, { time = "x" },
      { time = "" }, { time = 5 } })
    assert.equal(3, counts.invalid_date_count)
    assert.equal(1, counts.processed_record_count)
    assert.equal(4, counts.input_record_count)
  end)

  it("tell records before the open bucket, and drop them", function()
    local g = gathering.new()
    local counts = gathering.post(g, { { time = 100 }, { time = 130 }, { time = 119 }, { time = 120 },
      { time = 60 } })
    assert.equal(2, counts.out_of_order_timestamp_count)
    assert.equal(3, counts.processed_record_count)
    assert.equal(100000, counts.earliest_record_timestamp)
    assert.equal(130000, counts.latest_record_timestamp)
  end)

  it("take any order inside the open bucket", function()
    local g = gathering.new { bucket_span_s = 3600 }
    local counts = gathering.post(g, { { time = 3600 }, { time = 5400 }, { time = 4200 } })
    assert.equal(0, counts.out_of_order_timestamp_count)
    assert.equal(5400000, counts.latest_record_timestamp)
  end)

  it("tell buckets that were passed, the empty and the sparse ones too", function()
    local g, records = gathering.new(), {}
    for i = 0, 99 do records[#records + 1] = { time = i * 3 } end
    table.move({ { time = 300 }, { time = 500 } }, 1, 2, #records + 1, records)
    local counts = gathering.post(g, records)
    assert.equal(8, counts.bucket_count)
    assert.equal(2, counts.empty_bucket_count)
    assert.equal(420000, counts.latest_empty_bucket_timestamp)
    assert.equal(1, counts.sparse_bucket_count)
    assert.equal(300000, counts.latest_sparse_bucket_timestamp)
  end)

  it("are those of the upload, and the job's are their sum", function()
    local g = gathering.new()
    gathering.post(g, { { time = 0 }, { time = "x" } })
    local second = gathering.post(g, { { time = 70 } })
    assert.equal(1, second.processed_record_count)
    assert.equal(70000, second.earliest_record_timestamp)
    local all = g:counts()
    assert.equal(2, all.processed_record_count)
    assert.equal(1, all.invalid_date_count)
    assert.equal(1, all.bucket_count)
    assert.equal(0, all.earliest_record_timestamp)
    assert.equal(70000, all.latest_record_timestamp)
  end)

  it("have no times when there was no record", function()
    local counts = gathering.post(gathering.new(), "")
    assert.is_nil(counts.earliest_record_timestamp)
    assert.equal(0, counts.input_record_count)
  end)
end)

describe("the time of a record", function()
  local function latest(format, time)
    local g = gathering.new { time_format = format }
    local counts = gathering.post(g, ('{"time":%s}'):format(time))
    return counts.latest_record_timestamp
  end

  it("is seconds, whole, broken or as text, under epoch", function()
    assert.equal(1403481600000, latest("epoch", "1403481600"))
    assert.equal(1403481600500, latest("epoch", "1403481600.5"))
    assert.equal(1403481600123, latest("epoch", '"1403481600.123"'))
    assert.equal(1403481600000, latest("epoch", "1.4034816e9"))
  end)

  it("is milliseconds under epoch_ms", function()
    assert.equal(1403481600123, latest("epoch_ms", "1403481600123"))
    assert.equal(1403481600123, latest("epoch_ms", '"1403481600123"'))
    assert.equal(1403481600123, latest("epoch_ms", "1403481600123.7"))
  end)

  it("follows a pattern of Java's letters, without a zone in UTC", function()
    assert.equal(1403481600000, latest("yyyy-MM-dd HH:mm:ss", '"2014-06-23 00:00:00"'))
    assert.equal(1403478000000, latest("yyyy-MM-dd HH:mm:ssX", '"2014-06-23 00:00:00+01"'))
    assert.equal(1403481600250, latest("yyyy-MM-dd'T'HH:mm:ss.SSSXXX", '"2014-06-22T23:00:00.250-01:00"'))
    assert.equal(1403481600000, latest("dd/MMM/yyyy:HH:mm:ss Z", '"23/Jun/2014:02:00:00 +0200"'))
  end)

  it("may name its zone", function()
    local pattern = "yyyy-MM-dd HH:mm:ss z"
    assert.equal(1403481600000, latest(pattern, '"2014-06-23 00:00:00 UTC"'))
    assert.equal(1403481600000, latest(pattern, '"2014-06-22 17:00:00 PDT"'))
    assert.equal(1403481600000, latest(pattern, '"2014-06-23 08:00:00 GMT+8"'))
    assert.equal(1403481600000, latest("yyyy-MM-dd HH:mm VV", '"2014-06-23 02:00 Europe/Berlin"'))
    assert.equal(1388534400000, latest("yyyy-MM-dd HH:mm[ VV]", '"2014-01-01 01:00 Europe/Berlin"'))
    assert.equal(1388534400000, latest("yyyy-MM-dd HH:mm[ VV]", '"2014-01-01 00:00"'))
  end)

  it("takes the earlier of two moments that a clock showed, and moves what it never showed", function()
    local pattern = "yyyy-MM-dd HH:mm VV"
    assert.equal(1414283400000, latest(pattern, '"2014-10-26 02:30 Europe/Berlin"'))
    assert.equal(1414287000000 + 3600000, latest(pattern, '"2014-10-26 03:30 Europe/Berlin"'))
    assert.equal(1396143000000, latest(pattern, '"2014-03-30 02:30 Europe/Berlin"'))
  end)

  it("is none in a zone that nobody knows", function()
    for _, zone in ipairs { "Nowhere/Town", "../../etc/passwd", "/etc/passwd", "GMT+99", "Europe" } do
      assert.is_nil((latest("yyyy-MM-dd VV", ('"2014-06-23 %s"'):format(zone))))
    end
  end)

  it("is refused as a pattern that cannot be read", function()
    local g, err = gather.new(gathering.config { time_format = "yyyy-MM-dd bb" })
    assert.is_nil(g)
    assert.same({ kind = "invalid", reason = "Invalid Time format string 'yyyy-MM-dd bb'" }, err)
  end)

  it("may lie before 1970", function()
    local g = gathering.new()
    gathering.post(g, { { time = -61 }, { time = -59 }, { time = 1 } })
    local starts = {}
    for i, bucket in ipairs(gathering.take(g)) do starts[i] = bucket.start end
    assert.same({ -120, -60 }, starts)
  end)

  it("is none beyond the years 1 to 9999", function()
    assert.equal(253402300799000, latest("epoch", "253402300799"))
    assert.is_nil(latest("epoch", "253402300800"))
    assert.is_nil(latest("epoch", "-62135596801"))
    assert.is_nil(latest("epoch", "1e308"))
    assert.is_nil(latest("epoch_ms", "9223372036854775807"))
  end)
end)
