/* model/modes.h - a distribution of several modes, in one dimension, on a circle or in a plane.
 * Times of day heap up around a few hours, places around a few cities. The values are kept as a
 * sketch of at most 48 weighted points, the nearest of which are joined when it is full. Modes
 * are found when they are asked for, by splitting the sketch in two as long as that describes
 * it better (BIC by 6), and each is a normal distribution whose mean and spread are unknown.
 *
 *     sketch    . .:::. .        .::.          fit    mode 1: 09:10 ± 40 min, 0.7
 *                                                     mode 2: 17:30 ± 20 min, 0.3
 *
 * The probability of a value is the mass of what has a lower density: per mode, what lies
 * outside the contour of that density; exact for one mode and for modes apart.
 * Source: elastic-model, chapters 6 (time of day, lat_long) and 8; Gelman et al., "Bayesian
 * Data Analysis", 3.2 and 3.6 (what a normal with unknown parameters predicts). */
#ifndef BLIP_MODEL_MODES_H
#define BLIP_MODEL_MODES_H

#include "base/error.h"
#include "model/pack.h"
#include <stdbool.h>
#include <stddef.h>

#define MODES_POINTS 48
#define MODES_MAX 16

/* A weighted point, or several that were joined. */
struct modes_point {
    double weight;
    double mean[2];
    double scatter[3];  // sums of squared differences from the mean: xx, xy, yy
};

/* Held by value; modes_start() makes it ready. */
struct modes {
    int dimensions;    // 1 or 2
    double period;     // of a circle of values 0 .. period; 0 = a line or a plane
    double narrowest;  // least standard deviation of a mode
    double fewest;     // least weight of a mode
    size_t count;
    struct modes_point points[MODES_POINTS];  // in one dimension ascending
};

void modes_start(struct modes *m, int dimensions, double period, double narrowest,
                 double fewest);

/* Learns a value: [dimensions], within a million of 0; on a circle anywhere. */
void modes_learn(struct modes *m, const double *value, double weight);

/* One bucket later: every weight is multiplied by `keep`. */
void modes_age(struct modes *m, double keep);

double modes_weight(const struct modes *m);  // of all that is remembered

/* What the sketch said when it was asked; ask once per bucket. The modes may learn on. */
struct modes_mode {
    struct modes_point point;
    double share;       // of the weight
    double freedom;     // degrees of freedom of the t distribution that it predicts
    double scale[3];    // its scale matrix: xx, xy, yy
    double ln_density;  // of the whole mixture's part of it, at its centre
};
struct modes_fit {
    const struct modes *modes;
    size_t count;
    struct modes_mode mode[MODES_MAX];
};
void modes_fit(const struct modes *m, struct modes_fit *fit);

/* The probability of what is less likely than a value; 1 while nothing is known. */
double modes_probability(const struct modes_fit *fit, const double *value);

/* The centre of the mode that is nearest to a value, in its own spreads; the value itself
 * while nothing is known. */
void modes_nearest(const struct modes_fit *fit, const double *value, double *centre);

void modes_save(const struct modes *m, struct pack *to);
/* Fills started modes. STATUS_INVALID; they are then as started. */
enum status modes_load(struct modes *m, struct unpack *from, struct error *err);

#endif
