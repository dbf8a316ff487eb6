local json = require "runtime.json"
local store = require "runtime.store"

describe("runtime/store/ingest", function()
  local c, number = nil, 0
  setup(function() c = assert(store.open {}) end)
  teardown(function() c:close() end)

  --- A fresh index; its name.
  local function new_index(mapping)
    number = number + 1
    local name = "t" .. number
    assert(c:create_index {
      name = name, uuid = "u", created_ms = 0, settings = "{}", aliases = "{}",
      mapping = mapping and json.encode { properties = mapping } or "{}",
    })
    return name
  end

  --- Writes documents with the ids 1, 2, ...; the items of the answer.
  local function write(index, ...)
    local lines = {}
    for id, document in ipairs { ... } do
      lines[#lines + 1] = ('{"index":{"_id":"%d"}}\n%s\n'):format(id, document)
    end
    local bulk <close> = assert(c:bulk(table.concat(lines), index))
    bulk:resolve(1, c, index)
    assert(bulk:run(c))
    local items = json.decode((bulk:items()))
    for i, item in ipairs(items) do items[i] = item.index end
    return items
  end

  --- The values of one column, in the order of the documents.
  local function values(index, column)
    local frame = assert(c:query(('SELECT "%s" AS v FROM "%s" ORDER BY _seq_no'):format(column, index)))
    local list = {}
    for row = 1, #frame do list[row] = frame:get(row, "v") end
    return list
  end

  local function mapping_of(index) return json.decode(c:mapping(index).mapping).properties end

  --- Which of some values a field of a type takes: its column, and why the others are refused.
  local function take(definition, ...)
    local index = new_index { v = definition }
    local documents = {}
    for i, value in ipairs { ... } do documents[i] = ('{"v":%s}'):format(value) end
    local reasons = {}
    for i, item in ipairs(write(index, table.unpack(documents))) do
      reasons[i] = item.error and (item.error.caused_by or item.error).reason or false
    end
    return values(index, "v"), reasons
  end

  describe("dynamic mapping", function()
    it("chooses a type by the first value", function()
      local index = new_index()
      write(index, '{"l":1,"f":1.5,"b":true,"s":"x","d":"2026-01-05","t":"2026-01-05T10:00:00.123+01:00",'
        .. '"y":"2026/01/05","year":"2026","o":{"x":null},"e":[],"big":9223372036854775807}')
      local text = { type = "text", fields = { keyword = { type = "keyword", ignore_above = 256 } } }
      local slashes = { type = "date", format = "yyyy/MM/dd HH:mm:ss||yyyy/MM/dd||epoch_millis",
                        print_format = "yyyy/MM/dd HH:mm:ss" }
      assert.same({ l = { type = "long" }, f = { type = "float" }, b = { type = "boolean" }, s = text,
                    d = { type = "date" }, t = { type = "date" }, y = slashes, year = text,
                    o = { type = "object" }, big = { type = "long" } }, mapping_of(index))
      assert.same({ 1767603600123 }, values(index, "t"))
      assert.same({ math.maxinteger }, values(index, "big"))
    end)

    it("keeps all values of arrays, also in objects", function()
      local index = new_index()
      write(index, '{"a":[1,2,3],"o":[{"x":"p"},{"x":"q"}],"n":[[1],[2,[3]]]}', '{"a":4}', '{"a":[5]}', "{}")
      assert.same({ 1, 4, 5 }, values(index, "a"))
      assert.same({ "[1,2,3]" }, values(index, "a[]"))
      assert.same({ '["p","q"]' }, values(index, "o.x[]"))
      assert.same({ "[1,2,3]" }, values(index, "n[]"))
    end)

    it("takes a dotted name for objects", function()
      local index = new_index()
      write(index, '{"a.b":1}', '{"a":{"b":2}}')
      assert.same({ a = { properties = { b = { type = "long" } } } }, mapping_of(index))
      assert.same({ 1, 2 }, values(index, "a.b"))
    end)

    it("forgets the fields of a document that is refused", function()
      local index = new_index()
      local items = write(index, '{"n":1}', '{"new":1,"n":"x"}', '{"new":"text"}')
      assert.equal(400, items[2].status)
      assert.equal(201, items[3].status)
      assert.equal("text", mapping_of(index).new.type)
    end)

    it("refuses two types of a new field in one document", function()
      local items = write(new_index(), '{"a":[1,2.5]}')
      assert.equal("mapper [a] cannot be changed from type [long] to [float]", items[1].error.reason)
    end)
  end)

  describe("coercion", function()
    it("of longs takes texts and cuts fractions", function()
      local got, reasons = take({ type = "long" }, '"5"', "1.9", "-1.9", '"2.7"', "1e3", '"x"', "true",
        "1e30")
      assert.same({ 5, 1, -1, 2, 1000 }, got)
      assert.equal('For input string: "x"', reasons[6])
      assert.matches("VALUE_TRUE", reasons[7])
      assert.matches("out of range of long", reasons[8])
    end)

    it("of short integers keeps to their range", function()
      local got, reasons = take({ type = "short" }, "32767", "-32768", "32768")
      assert.same({ 32767, -32768 }, got)
      assert.equal("Numeric value (32768) out of range of Java short", reasons[3])
      assert.equal("Value [128] is out of range for a byte", select(2, take({ type = "byte" }, "128"))[1])
    end)

    it("of fractions refuses what is not finite", function()
      local got, reasons = take({ type = "double" }, "1", '"2.5"', "92233720368547758080", '"Infinity"')
      assert.same({ 1.0, 2.5, 9.223372036854775808e19 }, got)
      assert.equal("[double] supports only finite values, but got [Infinity]", reasons[4])
      assert.same({ 1.23 }, (take({ type = "scaled_float", scaling_factor = 100 }, "1.234")))
    end)

    it("is off when the mapping says so", function()
      local _, reasons = take({ type = "long", coerce = false }, "1.5", '"1"', "1")
      assert.equal("1.5 cannot be converted to long without data loss", reasons[1])
      assert.equal('For input string: "1"', reasons[2])
      assert.is_false(reasons[3])
    end)

    it("of booleans takes two words", function()
      local got, reasons = take({ type = "boolean" }, '"true"', '""', "false", '"yes"', "1")
      assert.same({ true, false, false }, got)
      assert.equal("Failed to parse value [yes] as only [true] or [false] are allowed.", reasons[4])
      assert.equal("Current token (VALUE_NUMBER_INT) not of boolean type", reasons[5])
    end)

    it("of dates takes the mapping's formats alone", function()
      local got = take({ type = "date" }, '"2026-01-05"', "1767571200000", '"1767571200000"', '"2026-01"',
        '"2026"')
      assert.same({ 1767571200000, 1767571200000, 1767571200000, 1767225600000, 1767225600000 }, got)
      local reasons
      got, reasons = take({ type = "date", format = "dd.MM.yyyy HH:mm||epoch_second" }, '"05.01.2026 00:00"',
        "1767571200", '"2026-01-05"')
      assert.same({ 1767571200000, 1767571200000 }, got)
      assert.equal("failed to parse date field [2026-01-05] with format [dd.MM.yyyy HH:mm||epoch_second]",
        reasons[3])
    end)

    it("of addresses looks at them", function()
      local got, reasons = take({ type = "ip" }, '"10.0.0.1"', '"::1"', '"10.0.0.256"')
      assert.same({ "10.0.0.1", "::1" }, got)
      assert.equal("'10.0.0.256' is not an IP string literal.", reasons[3])
    end)

    it("leaves out long keywords, counted in characters", function()
      local index = new_index { v = { type = "keyword", ignore_above = 3 } }
      write(index, '{"v":"äöü"}', '{"v":"abcd"}')
      assert.same({ "äöü" }, values(index, "v"))
    end)

    it("leaves out what does not fit when the mapping allows it", function()
      assert.same({ [2] = 1 }, (take({ type = "long", ignore_malformed = true }, '"x"', "1")))
    end)
  end)

  it("keeps the text of nested objects beside their fields", function()
    local index = new_index { n = { type = "nested", properties = { x = { type = "long" } } } }
    write(index, '{"n":[{"x":1},{"x":2}]}')
    assert.same({ '{"x":1}' }, values(index, "n"))
    assert.same({ '["{\\"x\\":1}","{\\"x\\":2}"]' }, values(index, "n[]"))
    assert.same({ "[1,2]" }, values(index, "n.x[]"))
  end)

  it("undoes everything of a transaction that is rolled back", function()
    local index = new_index()
    write(index, '{"a":1}')
    assert(c:begin())
    write(index, '{"a":2}', '{"b":"new"}')
    c:rollback()
    assert.same({ a = { type = "long" } }, mapping_of(index))
    assert.same({ 1 }, values(index, "a"))
    local items = write(index, '{"a":3}', '{"b":4}')
    assert.equal(2, items[1]._version)
    assert.equal(1, items[2]._version)
  end)

  it("appends documents for results, all or none", function()
    local index = new_index { n = { type = "long" } }
    assert.equal(2, c:append_documents(index, '{"n":1}\n{"n":2}\n'))
    local done, err = c:append_documents(index, '{"n":3}\n{"n":"x"}\n')
    assert.is_nil(done)
    assert.matches("document 2:", err.reason)
    assert.same({ 1, 2 }, values(index, "n"))
  end)

  it("replaces and returns snapshots", function()
    assert(c:put_snapshot("d", "a", 1, "old"))
    assert(c:put_snapshot("d", "a", 2, "ne\0w"))
    assert(c:put_snapshot("other", "a", 3, "x"))
    local frame = assert(c:get_snapshots("d"))
    assert.equal(1, #frame)
    assert.same({ entity = "a", position_ms = 2, bytes = "ne\0w" }, frame:row(1))
  end)
end)
