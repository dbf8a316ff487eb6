std = "lua54"
max_line_length = 110
files["tests/**/*_spec.lua"] = { std = "+busted" }
files["tests/**/*_bench.lua"] = { std = "+busted" }
files["tests/**/*_quality.lua"] = { std = "+busted" }

-- Scripts have the words of the detector language, and nothing else.
local base = dofile "lua/blip/detector/dsl_check.lua"
stds.detector = { read_globals = loadfile "lua/blip/detector/dsl.lua"(nil, base).words }
files["detectors/**/*.lua"] = { std = "detector" }
