/* model/transform.h - how one feature's values become coordinates of the forest, and back.
 *
 *     coordinate = (value - shift) / scale, clipped; shift and scale come from the values
 * before
 *
 * Source: the specification's 3.3 and 3.4. The forest keeps a coordinate as it was made: later
 * moments do not change it. */
#ifndef BLIP_MODEL_TRANSFORM_H
#define BLIP_MODEL_TRANSFORM_H

#include "model/deviation.h"
#include "model/model.h"

#define TRANSFORM_MAX 1e100  // larger values count as it: their squares are finite

/* Moments of one feature, each forgetting at the transform's decay, the last two at a tenth. */
struct transform {
    struct deviation value;
    struct deviation step;       // from one value to the next; 0 for the first
    struct deviation spread;     // of the running deviation of the values
    struct deviation drift;      // of the running mean step
    struct deviation roughness;  // of the running deviation of the steps
    double previous;             // value
};

/* What the moments say now. */
double transform_shift(const struct transform *t, enum transform_method method);
double transform_scale(const struct transform *t, enum transform_method method);

/* The scale of values that the moments have seen already: the first rows share one. */
double transform_common_scale(const struct transform *t, enum transform_method method);

/* The usual step from one value to the next, in the feature's unit. */
static inline double transform_roughness(const struct transform *t) {
    return fabs(t->roughness.mean);
}

/* The coordinate of a value: finite, within the forest's range, never -0. */
float transform_apply(enum transform_method method, double shift, double scale, double value);

/* Learns a value. A filled in one does not change what values are like, only steps. */
void transform_learn(struct transform *t, double decay, double value, bool filled_in);

/* Whether a method makes coordinates of steps rather than of values. */
static inline bool transform_differences(enum transform_method method) {
    return method == TRANSFORM_DIFFERENCE || method == TRANSFORM_NORMALIZE_DIFFERENCE;
}

void transform_save(const struct transform *t, struct pack *out);
bool transform_load(struct transform *t, struct unpack *in);

#endif
