/* model/spline.h - a smooth periodic curve through given points.
 * The natural description: a value and a second derivative at each knot; between knots a cubic.
 * Source: any text on cubic splines; the cyclic system by Sherman and Morrison, 1950. */
#ifndef BLIP_MODEL_SPLINE_H
#define BLIP_MODEL_SPLINE_H

#include <stddef.h>

#define SPLINE_KNOTS 84

/* Second derivatives of the periodic cubic spline with period 1.
 *   x      [count] in [0, 1), ascending
 *   y      [count]
 *   bend   [count] out; all 0 for fewer than 3 knots (straight lines)
 *   count  1 .. SPLINE_KNOTS */
void spline_bends(const double *x, const double *y, double *bend, size_t count);

/* The curve between two knots that are `width` apart, at share u in [0, 1] of the way. */
static inline double spline_between(double width, double u, double y0, double y1, double bend0,
                                    double bend1) {
    double v = 1 - u;
    return v * y0 + u * y1 +
           width * width / 6 * ((v * v * v - v) * bend0 + (u * u * u - u) * bend1);
}

#endif
