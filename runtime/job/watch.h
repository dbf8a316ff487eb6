/* job/watch.h - a detector at work: its features, and the models of its series.
 *
 *     model number (of gather.h)   0   1   2   3 ...
 *     feature 0 "mean"             s   s   -   s        - = none yet, or forgotten
 *     feature 1 "min"              s   s   -   s
 *
 * Models are made at the first bucket that has something of their series. Features that are no
 * numeric series have models of another kind in the same places (kind.h); what rare looks at is
 * one for all series of a partition (rarity.h). */
#ifndef BLIP_JOB_WATCH_H
#define BLIP_JOB_WATCH_H

#include "job/feature.h"
#include "job/kind.h"
#include "job/rarity.h"
#include "job/spill.h"
#include "model/pack.h"
#include "model/population.h"
#include "model/series.h"

struct watch {
    const struct detector *detector;
    int64_t bucket_span_s;
    size_t feature_count;
    struct feature features[FEATURES_MAX];
    struct series **series[FEATURES_MAX];  // [capacity], by model number
    struct kind **kinds[FEATURES_MAX];     // the same
    struct population **populations;       // the same, where a model is a population's
    struct rarity rarity;                  // of rare and freq_rare
    struct spill spill;                    // series that are kept elsewhere
    size_t capacity;
    size_t count;  // models that exist, over all features
    size_t bytes;  // memory of the models
};

void watch_init(struct watch *w, const struct detector *d, int64_t bucket_span_s);
void watch_clear(struct watch *w);

/* Room for the models 0 .. models - 1. STATUS_NO_MEMORY leaves the watch as it was. */
enum status watch_reserve(struct watch *w, size_t models, struct error *err);

/* The model of a number and feature; NULL when there is none. */
static inline struct series *watch_find(const struct watch *w, size_t feature, uint32_t model) {
    return model < w->capacity ? w->series[feature][model] : NULL;
}

static inline struct kind *watch_kind(const struct watch *w, size_t feature, uint32_t model) {
    return model < w->capacity ? w->kinds[feature][model] : NULL;
}

/* Who is busy in the population of a model, made when there is nothing yet; the number has been
 * reserved. NULL when memory runs out. */
struct population *watch_population(struct watch *w, uint32_t model);

/* Makes the model of a number and feature, of whatever kind, when there is none; the number has
 * been reserved. False when memory runs out. */
bool watch_make(struct watch *w, size_t feature, uint32_t model);

/* Whether there is a model, and the start of the last bucket that it learned. */
bool watch_last_s(const struct watch *w, size_t feature, uint32_t model, int64_t *last_s);

/* One model as bytes, and back into its empty place; the number has been reserved.
 * STATUS_INVALID, STATUS_NO_MEMORY. */
void watch_save_model(const struct watch *w, size_t feature, uint32_t model, struct pack *p);
enum status watch_load_model(struct watch *w, size_t feature, uint32_t model, struct unpack *u,
                             struct error *err);

void watch_forget_model(struct watch *w, size_t feature, uint32_t model);

/* Forgets all models of a number. */
void watch_forget(struct watch *w, uint32_t model);

/* Bytes that a new series of this detector takes, about. */
size_t watch_series_bytes(const struct watch *w);

void watch_save(const struct watch *w, struct pack *p);
/* Reads into an empty watch.
 *   models  numbers that the gather knows
 * STATUS_INVALID when the bytes are no saved watch, STATUS_NO_MEMORY. */
enum status watch_load(struct watch *w, size_t models, struct unpack *u, struct error *err);

#endif
