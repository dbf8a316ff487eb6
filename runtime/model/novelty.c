#include "model/novelty.h"
#include "model/lanes.h"
#include <math.h>

// The nearest of `count` values to x. Eight minima run side by side: strict arithmetic forbids
// the compiler to regroup a single one, and a minimum does not care for the order.
LANES_CLONES static float nearest(const float *values, size_t count, float x) {
    float least[LANES];
    for (size_t k = 0; k < LANES; k++)
        least[k] = INFINITY;
    size_t whole = count - count % LANES;
    for (size_t i = 0; i < whole; i += LANES)
        for (size_t k = 0; k < LANES; k++) {
            float distance = fabsf(x - values[i + k]);
            least[k] = distance < least[k] ? distance : least[k];
        }
    for (size_t i = whole; i < count; i++)
        least[0] = fminf(least[0], fabsf(x - values[i]));
    for (size_t k = 1; k < LANES; k++)
        least[0] = fminf(least[0], least[k]);
    return least[0];
}

double novelty_of(const struct past *p, size_t rows) {
    if (rows < NOVELTY_SKIP) return 0;
    const float *now = past_now(p);
    return (double)nearest(&now[NOVELTY_SKIP], rows - NOVELTY_SKIP + 1, now[0]);
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
