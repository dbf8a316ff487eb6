/* model/deviation.h - mean and deviation of a stream that forgets: an observation's weight
 * shrinks by the factor 1 - discount with every later one.
 * Kept centred (West, "Updating mean and variance estimates", 1979), so a deviation of 1 beside
 * a mean of 1e9 survives, which a difference of sums of squares does not. */
#ifndef BLIP_MODEL_DEVIATION_H
#define BLIP_MODEL_DEVIATION_H

#include "model/pack.h"
#include <math.h>

struct deviation {
    double weight;   // of all observations
    double mean;     // 0 before the first
    double squares;  // weighted squared distances from the mean
    uint64_t count;
};

static inline void deviation_update(struct deviation *d, double discount, double value) {
    double old = (1 - discount) * d->weight;
    double distance = value - d->mean;
    d->weight = old + 1;
    d->mean += distance / d->weight;
    d->squares = (1 - discount) * d->squares + distance * distance * (old / d->weight);
    d->count++;
}

static inline double deviation_of(const struct deviation *d) {
    return d->weight > 0 ? sqrt(d->squares / d->weight) : 0;
}

static inline void deviation_save(const struct deviation *d, struct pack *out) {
    pack_f64(out, d->weight);
    pack_f64(out, d->mean);
    pack_f64(out, d->squares);
    pack_u64(out, d->count);
}

/* False when the numbers cannot be those of a stream of values within +-1e100. */
static inline bool deviation_load(struct deviation *d, struct unpack *in) {
    d->weight = unpack_f64(in);
    d->mean = unpack_f64(in);
    d->squares = unpack_f64(in);
    d->count = unpack_u64(in);
    const double most =
        1e101;  // the second moment of such a stream, and of its steps, is below
    if (d->weight <= 0) return d->weight >= 0 && d->mean == 0 && d->squares == 0;
    double moment = d->squares / d->weight + d->mean * d->mean;
    return d->weight <= 1e12 && d->squares >= 0 && moment <= most * most;
}

#endif
