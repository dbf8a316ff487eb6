/* model/decomposition.h - what a series is expected to be: trend + seasons + calendar.
 *
 *     value  = trend + sum of seasonal components + sum of calendar components + residual
 *              '----------------- expected value -----------------------'
 *
 * It starts with nothing and expects 0; what it finds (a trend that explains something, a day,
 * a week, weekdays and weekends, "the last Friday of the month") it adds, and says so. The
 * residual's distribution belongs to the caller. One bucket of a series, in this order:
 *
 *     expected = decomposition_predict(d, t, 0)        residual before learning: outlier weight
 *     decomposition_learn(d, t, value, n, w, &news)    if news.relearn: refill from residuals
 *     expected = decomposition_predict(d, t, 0.5)      residual with an interval: probability
 *     scale    = decomposition_scale(d, t, v, floor)   divide the residual by its square root
 *     decomposition_age(d, bucket_span * occupancy)
 *
 * Times are seconds since 1970, UTC; all times of a bucket are the same to it. Nothing is
 * allocated except when something is found. Source: elastic-model specification, chapters 4, 5
 * and 14.4. */
#ifndef BLIP_MODEL_DECOMPOSITION_H
#define BLIP_MODEL_DECOMPOSITION_H

#include "base/error.h"
#include "model/pack.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct decomposition;

/* Lower and upper bound of the expected value at the confidence that was asked for. */
struct expected {
    double lower, mean, upper;
};

#define DECOMPOSITION_RESIDUALS 336  // values of the longest window
#define DECOMPOSITION_TEXTS 6
#define DECOMPOSITION_TEXT_SIZE 96

struct decomposition_residual {
    double time_s, value, weight;
};

/* What learning a value has changed. About 8 KB: keep one and use it again. */
struct decomposition_news {
    bool relearn;   // forget the residual's distribution, learn residuals[] instead
    bool seasonal;  // components came or went (else: a level, a scale or the clock moved)
    size_t count;
    struct decomposition_residual residuals[DECOMPOSITION_RESIDUALS];  // oldest first
    size_t texts;  // annotations, e.g. "Detected seasonal component with period 1 day"
    char text[DECOMPOSITION_TEXTS][DECOMPOSITION_TEXT_SIZE];
};

/* Creates one that has learnt nothing; decomposition_free() frees it. NULL when memory runs
 * out. bucket_span_s  seconds, > 0 */
struct decomposition *decomposition_new(int64_t bucket_span_s);
void decomposition_free(struct decomposition *d);

/* The expected value at a time. Not below 0 while no value was.
 *   confidence  in [0, 1): share of cases in which the true mean lies inside; 0 = mean only */
struct expected decomposition_predict(const struct decomposition *d, double time_s,
                                      double confidence);

/* The variance of residuals around this time relative to their mean variance; 1 while there is
 * no season.
 *   variance  of the residual's distribution; > 0
 *   floor     smallest answer: 0.4 for one series, 1 for populations */
double decomposition_scale(const struct decomposition *d, double time_s, double variance,
                           double floor);

/* Learns the value of one bucket. Times must not go back by more than a bucket.
 *   weight   of the value as a count of samples, > 0
 *   outlier  in (0, 1]: how far the value is believed (chapter 4, step 1)
 * Returns false when memory ran out while a component was added: the component is then missing,
 * all else is as it would be. `news` is always filled (its texts and residuals up to their
 * counts). */
bool decomposition_learn(struct decomposition *d, double time_s, double value, double weight,
                         double outlier, struct decomposition_news *news);

/* Lets the past fade by so many seconds; call it once per bucket, not over skipped ones. */
void decomposition_age(struct decomposition *d, double seconds);

/* How much faster than usual the past fades, 1 = as usual (chapter 4, step 5). */
void decomposition_set_decay(struct decomposition *d, double multiplier);

/* In [0, 1]: 1 just after a change was accepted, falling to 0 over three days; raises the
 * smallest outlier weight (chapter 4, step 1). */
double decomposition_derate(const struct decomposition *d, double time_s);

/* Moves the phase of all seasons: what was expected at t is expected at t + seconds. */
void decomposition_shift_time(struct decomposition *d, double seconds);

/* Seasonal and calendar components at work. */
size_t decomposition_components(const struct decomposition *d);

size_t decomposition_bytes(const struct decomposition *d);  // memory

void decomposition_save(const struct decomposition *d, struct pack *p);

/* Reads what was saved. STATUS_INVALID when the bytes are no decomposition; STATUS_NO_MEMORY.
 */
enum status decomposition_load(struct unpack *u, struct decomposition **out, struct error *err);

#endif
