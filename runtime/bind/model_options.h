/* bind/model_options.h - the options of a model as a Lua table. */
#ifndef BLIP_BIND_MODEL_OPTIONS_H
#define BLIP_BIND_MODEL_OPTIONS_H

#include "model/model.h"
#include <lua.h>

/* Reads the table at an argument over the defaults of its kind; raises on a key that is no
 * option and on a value of the wrong type. What the values may be, model_new() says:
 *     { kind = "forest" | "ensemble", features =, interval_ms =, seed =,
 *       shingle =, trees =, samples =, time_decay =, output_after =, initial_accept =,
 *       z_factor =, anomaly_rate =, auto_adjust =, alert_once =,
 *       transform = "none" | "subtract_mean" | "normalize" | "difference" |
 *                   "normalize_difference",
 *       impute = "none" | "zero" | "fixed" | "previous" | "forest", fixed = { number, ... },
 *       ignore = { { above =, below =, above_ratio =, below_ratio = }, ... },
 *       sensitivity =, history = } */
struct model_options bind_check_model_options(lua_State *L, int at);

#endif
