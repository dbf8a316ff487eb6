/* model/season_fit.h - a window of values as trend + seasons + what is left.
 * Seasons are means over the cells of their period; the trend is a parabola, or up to four
 * straight pieces; each is fitted to what the others leave, in turn. */
#ifndef BLIP_MODEL_SEASON_FIT_H
#define BLIP_MODEL_SEASON_FIT_H

#include "model/season.h"
#include <stddef.h>

#define SEASON_VALUES 336  // at most

struct season_series {
    double start_s, step_s;  // value i lies at start_s + (i + 1/2) step_s
    size_t count;            // at most SEASON_VALUES
    double value[SEASON_VALUES];
    double weight[SEASON_VALUES];  // 0 = missing, 1 = as good as any
};

static inline double season_time(const struct season_series *x, size_t i) {
    return x->start_s + ((double)i + 0.5) * x->step_s;
}

#define SEASON_SET 6

struct season_set {
    size_t count;
    struct season season[SEASON_SET];
};

enum season_trend { SEASON_PARABOLA, SEASON_PIECES };
// A third as many cells as usual; as usual; or one for each step: for profiles with edges.
enum season_detail { SEASON_COARSE, SEASON_FINE, SEASON_SHARP };

struct season_fit {
    double squares;     // weighted sum of the squares of what is left
    double values;      // sum of weights
    double parameters;  // of trend and seasons
    double alike;       // correlation of neighbouring errors, in [0, 1)
    double news;        // squares that the error before does not explain: squares (1 - r^2)
    double left[SEASON_VALUES];  // value - trend - seasons
    double trend[SEASON_VALUES];
};

/* Fits. Deterministic; about 10 ns per value, season and pass. */
void season_fit(const struct season_series *x, const struct season_set *set,
                enum season_trend trend, enum season_detail detail, struct season_fit *out);

/* What errors are compared: those that the error before does not predict, or all of them, where
 * neighbours that are alike count as fewer. Strict is for a first season, else anything that
 * wanders would have one; lenient for one more, or one that is known. */
enum season_rule { SEASON_STRICT, SEASON_LENIENT };

/* ln of the chance that the larger model (more parameters) is as much better by accident: the
 * F-test. 0 when it is no better. */
double season_ln_chance(const struct season_fit *small, const struct season_fit *large,
                        enum season_rule rule);

/* How much smaller the variance of the errors is, freedoms counted, in (-inf, 1]. */
double season_explained(const struct season_fit *small, const struct season_fit *large);

/* BIC of a minus BIC of b: positive when b is better. */
double season_bic_gain(const struct season_fit *a, const struct season_fit *b,
                       enum season_rule rule);

#endif
