local head = require "blip.source.file_head"

describe("blip.source.file_head", function()
  local function look(text)
    return assert(head.look(text, true))
  end

  it("finds the delimiter that most lines agree on", function()
    assert.equal(",", look("a,b\n1,2\n").delimiter)
    assert.equal(";", look("a;b\n1,5;2,5\n2,5;3,5\n").delimiter)
    assert.equal("\t", look("a\tb\n1\t2\n").delimiter)
    assert.equal("|", look("a|b\n1|2\n").delimiter)
    assert.equal(",", look("a,b\n1,2\n1,2,3\n1,2\n").delimiter)
    assert.equal(",", look("value\n1\n2\n").delimiter)
  end)

  it("takes the first line for names when it holds no data", function()
    assert.same({ "time", "value" }, look("time,value\n1,2\n").names)
    assert.same({ "column 1", "column 2" }, look("2020-01-01 00:00:00,5\n2020-01-02 00:00:00,6\n").names)
    assert.is_false(look("1,x\n2,y\n").header)
  end)

  it("gives every column a name of its own", function()
    assert.same({ "a", "a_2", "column 3" }, look("a, a ,\n1,2,3\n").names)
  end)

  it("reads quotes, line breaks in them, carriage returns and a byte order mark", function()
    assert.same({ 'my "a", yes', "b" }, look('\239\187\191"my ""a"", yes","b"\r\n"1\n",2\r\n').names)
  end)

  it("knows JSON by its first character", function()
    assert.equal("json", look('{"a":1}\n').format)
    assert.equal("json", look(' [ {"a":1} ]').format)
  end)

  it("tells old encodings from UTF-8", function()
    assert.equal("latin-1", look("gr\246\223e\n1\n").encoding)
    assert.equal("utf-8", look("größe\n1\n").encoding)
  end)

  it("refuses what it cannot read, and says why", function()
    local wrong = {
      [""] = "is empty", ["\n \n"] = "is empty", ["a,b\n"] = "has no rows, only the names of columns",
      ["\31\139\8"] = "is compressed; try zcat FILE | blip scan -",
      ["a\0b"] = "is a binary file; CSV or NDJSON is needed",
    }
    for bytes, reason in pairs(wrong) do
      local found, err = head.look(bytes, true)
      assert.is_nil(found)
      assert.equal(reason, err.reason)
    end
  end)
end)
