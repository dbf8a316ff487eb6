/* bind/frame_passes.h - methods of a frame that work on all of its rows; bind_frame.c adds
 * them.
 *
 *     f:render(template) -> text, documents       one JSON document a line (bind_render.c)
 *     f:fill{ from =, to =, step =, entity = { column, ... }, known = { key, ... },
 *             values = { { column, number }, ... } } -> added
 *                                                 rows for empty intervals (frame/fill.h)
 *     f:add_model_ids(name, prefix, { column, ... }) -> f      a text column (frame/key.h)
 *     f:above(name, bound) -> { row, ... }        rows with a value above a bound
 *     f:set(row, name, number) -> f               one value of a number column; nil = none of a
 * double */
#ifndef BLIP_BIND_FRAME_PASSES_H
#define BLIP_BIND_FRAME_PASSES_H

#include <lauxlib.h>

extern const luaL_Reg frame_passes[];

#endif
