std = "lua54"
max_line_length = 110
files["tests/**/*_spec.lua"] = { std = "+busted" }
files["tests/**/*_bench.lua"] = { std = "+busted" }

-- Scripts have the words of the detector language, and nothing else.
stds.detector = { read_globals = dofile("lua/blip/detector/dsl.lua").words }
files["detectors/**/*.lua"] = { std = "detector" }
