--- What a stream can show: colour, block characters, how wide.
-- @module blip.cli.style
local terminal = require "runtime.terminal"

local Style = { __name = "blip.style" }
Style.__index = Style

local style = {}

local COLOURS = { red = "31", yellow = "33", cyan = "36", bold = "1", dim = "2" }
local NARROW, WIDE, PLAIN = 60, 160, 100

local function environment(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end

local function speaks_utf8()
  local locale = environment "LC_ALL" or environment "LC_CTYPE" or environment "LANG" or ""
  return locale:lower():find "utf%-?8" ~= nil
end

--- The style of "stdout" or "stderr".
-- Colour needs a terminal, and neither NO_COLOR nor TERM=dumb; blocks need a UTF-8 locale.
function style.of(stream)
  local dumb = environment "TERM" == "dumb"
  local is_terminal = terminal.is_terminal(stream)
  local width = tonumber(environment "COLUMNS") or is_terminal and terminal.columns(stream) or PLAIN
  return style.new {
    terminal = is_terminal,
    colour = is_terminal and not dumb and not environment "NO_COLOR",
    utf8 = speaks_utf8() and not dumb,
    width = math.max(NARROW, math.min(WIDE, math.floor(width))),
  }
end

--- A style that is given: `terminal`, `colour`, `utf8` (booleans), `width`.
function style.new(fields)
  return setmetatable(fields, Style)
end

--- A text in a colour ("red", "yellow", "cyan", "bold", "dim"), if the stream shows any.
function Style:paint(colour, s)
  return self.colour and s ~= "" and ("\27[%sm%s\27[0m"):format(COLOURS[colour], s) or s
end

--- The first of two texts where UTF-8 can be shown, else the second.
function Style:either(unicode, ascii)
  return self.utf8 and unicode or ascii
end

return style
