#include "model/step.h"
#include <math.h>

#define STRENGTH 20.0  // of a step by a factor of e
#define SLOWEST (1.0 / 2000)
#define CLIP 8.0    // in deviations, when they learn
#define COARSE 0.1  // a quantum of more standard deviations than this counts
#define REST 0.001  // what may be left of a quantum by rounding

double step_limit(const struct step *s, double from, double to) {
    if (s->deviation == 0) return INFINITY;
    return STRENGTH * fabs(asinh(to / s->deviation) - asinh(from / s->deviation));
}

double step_value_limit(const struct step *s, double value, double distance) {
    double to = value - s->centre;
    double from = to > 0 ? to - distance : to < 0 ? to + distance : to;
    return step_limit(s, from, to);
}

double step_residual_limit(const struct step *s, double residual, double distance) {
    double to = fabs(residual);
    return step_limit(s, fmax(to - distance, 0), to);
}

double step_less_quantum(const struct step *s, double distance, double sigma) {
    if (s->quantum <= COARSE * sigma) return distance;
    double rest = distance - s->quantum;
    return rest < REST * s->quantum ? 0 : rest;
}

void step_learn(struct step *s, double value, uint64_t rows) {
    double rate = fmax(SLOWEST, 1 / ((double)rows + 1));
    s->centre += rate * (value - s->centre);
    double size = fabs(value - s->centre);
    if (s->deviation > 0) size = fmin(size, CLIP * s->deviation);
    s->deviation += rate * (size - s->deviation);
}

void step_learn_quantum(struct step *s, double change) {
    double size = fabs(change);
    if (size > 0 && (s->quantum == 0 || size < s->quantum)) s->quantum = size;
}
