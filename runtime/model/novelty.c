#include "model/novelty.h"
#include "model/lanes.h"
#include <math.h>

double novelty_of(const struct past *p, size_t rows) {
    if (rows < NOVELTY_SKIP) return 0;
    const float *now = past_now(p);
    return (double)lanes_nearest(&now[NOVELTY_SKIP], rows - NOVELTY_SKIP + 1, now[0]);
}

double novelty_strength(const struct novelty *n, double distance, double floor) {
    double weight = n->weight + NOVELTY_ZEROS;
    double mean = n->sum / weight;
    if (distance <= mean) return 0;
    double variance = n->squares / weight - mean * mean;
    double spread = fmax(sqrt(fmax(variance, 0)), 0.01 * mean) + floor;
    if (spread == 0) return NOVELTY_STRONGEST;
    return fmin((distance - mean) / spread, NOVELTY_STRONGEST);
}

void novelty_learn(struct novelty *n, double distance, double fade) {
    if (distance <= 0) return;
    n->sum = fade * n->sum + distance;
    n->squares = fade * n->squares + distance * distance;
    n->weight = fade * n->weight + 1;
}
