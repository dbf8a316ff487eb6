/* model/transform.c - see transform.h. */
#include "model/transform.h"

#include "model/forest.h"

static const double clip = 100;       // normalized coordinates reach this far
static const double least_scale = 1;  // added to a deviation: small features stay small

double transform_shift(const struct transform *t, enum transform_method method) {
    switch (method) {
    case TRANSFORM_SUBTRACT_MEAN:
    case TRANSFORM_NORMALIZE:
        return t->value.mean;
    case TRANSFORM_DIFFERENCE:
        return t->previous;
    case TRANSFORM_NORMALIZE_DIFFERENCE:
        return t->previous + t->step.mean;
    case TRANSFORM_NONE:
        break;
    }
    return 0;
}

double transform_scale(const struct transform *t, enum transform_method method) {
    if (method == TRANSFORM_NORMALIZE) return fabs(t->spread.mean) + least_scale;
    if (method == TRANSFORM_NORMALIZE_DIFFERENCE) return deviation_of(&t->step) + least_scale;
    return 1;
}

double transform_common_scale(const struct transform *t, enum transform_method method) {
    if (method == TRANSFORM_NORMALIZE) return deviation_of(&t->value) + least_scale;
    return transform_scale(t, method);
}

static double clamp(double value, double limit) { return fmax(-limit, fmin(limit, value)); }

float transform_apply(enum transform_method method, double shift, double scale, double value) {
    bool normalizes = method == TRANSFORM_NORMALIZE || method == TRANSFORM_NORMALIZE_DIFFERENCE;
    double coordinate = (value - shift) / scale;
    return (float)clamp(coordinate, normalizes ? clip : (double)FOREST_MAX) + 0.0f;
}

void transform_learn(struct transform *t, double decay, double value, bool filled_in) {
    double step = t->step.count > 0 ? value - t->previous : 0;
    if (!filled_in) {
        deviation_update(&t->value, decay, value);
        deviation_update(&t->spread, decay, deviation_of(&t->value));
    }
    deviation_update(&t->step, decay, step);
    deviation_update(&t->drift, decay / 10, t->step.mean);
    deviation_update(&t->roughness, decay / 10, deviation_of(&t->step));
    t->previous = value;
}

void transform_save(const struct transform *t, struct pack *out) {
    deviation_save(&t->value, out);
    deviation_save(&t->step, out);
    deviation_save(&t->spread, out);
    deviation_save(&t->drift, out);
    deviation_save(&t->roughness, out);
    pack_f64(out, t->previous);
}

bool transform_load(struct transform *t, struct unpack *in) {
    bool good = deviation_load(&t->value, in);
    good &= deviation_load(&t->step, in);
    good &= deviation_load(&t->spread, in);
    good &= deviation_load(&t->drift, in);
    good &= deviation_load(&t->roughness, in);
    t->previous = unpack_f64(in);
    return good && fabs(t->previous) <= TRANSFORM_MAX;
}
