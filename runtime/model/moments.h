/* model/moments.h - least squares of a parabola in time, from sums alone.
 * The sums fade by a factor, move to another origin and take over a line exactly, so that a fit
 * over months is nine numbers. It is solved in polynomials that are orthogonal over the data
 * (P0 = 1, P1 = u, P2 = u^2 - skew u - 1 in standardised time u), which needs no matrix and
 * says at once when the data carry a lower order only. */
#ifndef BLIP_MODEL_MOMENTS_H
#define BLIP_MODEL_MOMENTS_H

#include "model/pack.h"
#include <stddef.h>

/* Empty when all zero. Times are in the caller's unit, small numbers around its origin. */
struct moments {
    double t[5];  // sum of w t^k
    double y[3];  // sum of w y t^k
};

/* value = c[0] + c[1] t + c[2] t^2 */
struct parabola {
    double c[3];
};

double parabola_at(const struct parabola *p, double t);

void moments_add(struct moments *m, double t, double y, double weight);
void moments_fade(struct moments *m, double factor);  // in [0, 1]

/* As if every time had been taken from an origin that lies `by` later. */
void moments_move(struct moments *m, double by);

/* As if every value had been larger by level + slope t. */
void moments_lift(struct moments *m, double level, double slope);

/* Fits a parabola, or a line or a level where the times do not determine more.
 *   order        the highest to fit, 0 to 2
 *   leverage_at  where to ask for the leverage: the variance of the fitted value there over the
 *                variance of one observation of weight 1
 *   leverage     may be NULL
 * All zero (leverage: infinite) when nothing was added. */
struct parabola moments_fit(const struct moments *m, unsigned order, double leverage_at,
                            double *leverage);

void moments_save(const struct moments *m, struct pack *p);
void moments_load(struct moments *m, struct unpack *u);

#endif
