/* model/decay.h - how fast a model forgets: faster while its errors grow or lean to one side,
 * slower while they stay as they are.
 * Source: elastic-model specification, chapter 4, step 5. */
#ifndef BLIP_MODEL_DECAY_H
#define BLIP_MODEL_DECAY_H

#include "model/pack.h"

struct decay {
    double recent_count, bias, recent;  // means of the error and of its size, over days
    double history_count, history;      // mean of its size, over weeks
    double target;                      // the multiplier that the last errors ask for
    double smooth_count, smooth;        // its mean: the multiplier that holds
};

struct decay_options {
    double rate;    // decay per bucket with multiplier 1
    double share;   // of a reference bucket (half an hour), at most 1: how much a bucket counts
    double span_s;  // of a bucket
    bool both_ways;  // errors that shrink are a reason to forget too (the residual's model)
};

struct decay decay_new(void);

/* Learns a prediction's error.
 *   level  the size of what is predicted: errors of 1e-4 of it are none */
void decay_learn(struct decay *d, const struct decay_options *o, double error, double level);

/* The multiplier of the decay rate, in [0.2, 40]. */
static inline double decay_multiplier(const struct decay *d) { return d->smooth; }

void decay_save(const struct decay *d, struct pack *p);
bool decay_load(struct unpack *u, struct decay *out);

#endif
