/* model/trend.h - where the level of a series goes when its seasons are taken away.
 * Four parabolas forget at different rates, from half a day to years, and are averaged; the
 * caller's decay rate says which of them weighs most. The trend counts only when it predicts
 * better than the mean does, which it judges itself.
 * Source: elastic-model specification, 5.1 and 14.4. */
#ifndef BLIP_MODEL_TREND_H
#define BLIP_MODEL_TREND_H

#include "model/moments.h"
#include <stdbool.h>

#define TREND_MODELS 4
#define TREND_RATE_PER_DAY 0.024  // at which the middle of them forgets, for short buckets

/* Empty after trend_init(); plain data. Times are in seconds since 1970. */
struct trend {
    struct moments model[TREND_MODELS];
    struct parabola fit;         // their average, in weeks from the origin
    double origin_s;             // infinite before the first value
    double first_s, last_s;      // values seen
    double values;               // weighted by how far they were believed
    double noise;                // mean squared error of the predictions
    double leverage;             // variance of the fit's end over that of one value
    double mean;                 // running; what a prediction without trend would be
    double with, without;        // mean squared errors of both
    double rate_per_day, decay;  // of the middle model; times this
    double memory;               // values over which means run: a week, or this many at least
    double test_at;              // values at which to judge next
};

void trend_init(struct trend *t, double bucket_span_s);

/* The level at a time; beyond the data it bends to the mean. */
double trend_at(const struct trend *t, double time_s);

/* Variance of that level's estimate. */
double trend_variance(const struct trend *t);

/* Learns a level: the value without its seasons.
 *   weight   of the value as an observation
 *   share    in (0, 1]: how far it is believed */
void trend_learn(struct trend *t, double time_s, double level, double weight, double share);

void trend_age(struct trend *t, double seconds);
void trend_set_decay(struct trend *t, double multiplier);

/* As if all levels had been higher by so much. */
void trend_lift(struct trend *t, double level);

/* Whether the trend should count, judged now and then.
 *   counts  whether it does now: it then stays until it is clearly worse */
bool trend_helps(struct trend *t, bool counts);

/* Forgets all, to be refilled with trend_learn(). */
void trend_clear(struct trend *t);

void trend_save(const struct trend *t, struct pack *p);
bool trend_load(struct trend *t, struct unpack *u);  // false: damaged

#endif
