/* bind/job_options.h - a job's configuration, from Lua's tables to C.
 *
 *     { job_id =, bucket_span_s =, latency_s =, summary_count_field =, influencers = { field, ... },
 *       detectors = { { ["function"] =, field =, by =, over =, partition =, use_null =,
 *                       exclude_frequent = "by" | "over" | "all" | "none", rules = { rule, ... } },
 *                     ... },
 *       time_field =, time_format =, format = "xcontent" | "delimited", delimiter =, quote =,
 *       memory_limit_bytes =, spill =, prune_window_s =, record_limit =, threads =,
 *       model_plot = { enabled =, terms =, annotations = },
 *       filters = { [id] = { item, ... }, ... },
 *       events = { { description =, start_s =, end_s =, skip_result =, skip_model_update =,
 *                    force_time_shift = seconds }, ... } }
 *     rule = { actions = { "skip_result", ... },
 *              scope = { [field] = { filter_id =, filter_type = } },
 *              conditions = { { applies_to =, operator =, value = }, ... },
 *              params = { force_time_shift = { time_shift_amount = } } } */
#ifndef BLIP_BIND_JOB_OPTIONS_H
#define BLIP_BIND_JOB_OPTIONS_H

#include "job/job.h"
#include <lua.h>

/* Pushes a box that owns an analysis made from the table at an argument, and returns it: NULL
 * and err filled when it makes no sense. Raises for wrong types. The analysis is taken out of
 * the box by setting *box to NULL. */
struct analysis **job_options_analysis(lua_State *L, int at, struct error *err);

/* The rest of the options at an argument. Raises for wrong types. */
struct job_options job_options_check(lua_State *L, int at);

/* Pushes a box that owns a book of the rules, filters and events at an argument, and says in
 * *parts which of them are there. *box is NULL, and err filled, when it makes no sense. Rules
 * are taken from `detectors`, or from `rules` = { [detector_index + 1] = { rule, ... } }. */
struct rulebook **job_options_rules(lua_State *L, int at, const struct analysis *a,
                                    unsigned *parts, struct error *err);

/* Sets the job's plots from `model_plot` at an argument when it is there; false = off. */
enum status job_options_plot(lua_State *L, int at, struct job *job, struct error *err);

#endif
