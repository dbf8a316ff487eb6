/* model/component.h - one repeating part of a series: a day, a week, the weekends' day.
 *
 *     |  0  |   1   | 2 |3|4|  5  |     6     |  7  |     phases: places in the period,
 *     '-----x-------x---x-x-x-----x-----------x-----'     narrow where much happens
 *
 * Each phase holds a fading line of value over the number of periods elapsed, so that the level
 * of "Monday 09:00" may drift; a periodic cubic spline joins the phases. Lines are read once
 * per period, or when asked, so a prediction is one search and one cubic.
 * Source: elastic-model specification, 5.2 and 14.4. */
#ifndef BLIP_MODEL_COMPONENT_H
#define BLIP_MODEL_COMPONENT_H

#include "model/pack.h"
#include "model/season.h"
#include <stdbool.h>
#include <stddef.h>

#define COMPONENT_PHASES 84  // at most
#define COMPONENT_CELLS 720  // steps in a period, at most: beyond, phases are coarser

struct component;

/* A value that a component is made from. */
struct component_point {
    double time_s, value, weight;
};

/* Fits a new component to values from which all else has been taken away; component_free()
 * frees it. NULL when memory runs out.
 *   step_s  time between values: no phase is narrower
 *   count   of points, > 0; oldest first */
struct component *component_new(const struct season *s, double step_s,
                                const struct component_point *points, size_t count);
void component_free(struct component *c);

const struct season *component_season(const struct component *c);

/* The component's part of the value at a time, 0 outside its window. */
double component_value(const struct component *c, double time_s);

/* What the same place of the period tells about errors: their variance there, the mean of it
 * over the period, and the variance of the component's own estimate. */
struct component_spread {
    double here, mean, estimate;
};
struct component_spread component_spread(const struct component *c, double time_s);

/* Moves the phase of a time toward what would have been right.
 *   error   of the whole prediction, as far as this component shall answer for it
 *   weight  of the value */
void component_learn(struct component *c, double time_s, double error, double weight);

/* Lets it fade by so much of its memory, at the next period's end. */
void component_age(struct component *c, double rate);

/* Reads the lines anew when a period is over, or when forced. Returns the level that was moved
 * out of it (it keeps a mean of 0), to be given to the trend. */
double component_refresh(struct component *c, double time_s, bool force);

void component_scale(struct component *c, double factor);
void component_shift(struct component *c, double seconds);

size_t component_bytes(const struct component *c);
void component_save(const struct component *c, struct pack *p);
enum component_loaded { COMPONENT_LOADED, COMPONENT_DAMAGED, COMPONENT_NO_MEMORY };
enum component_loaded component_load(struct unpack *u, struct component **out);

#endif
