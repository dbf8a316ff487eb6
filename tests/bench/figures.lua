-- A busted output that adds nothing to what benchmarks print, but says what failed.
return function(options)
  local busted = require "busted"
  local handler = require "busted.outputHandlers.base"()

  function handler.suiteEnd()
    for _, list in ipairs { handler.failures, handler.errors } do
      for _, problem in ipairs(list) do
        print(("FAILED %s: %s"):format(problem.name or "?", tostring(problem.message)))
      end
    end
    return nil, true
  end

  busted.subscribe({ "suite", "end" }, handler.suiteEnd)
  handler:subscribe(options)
  return handler
end
