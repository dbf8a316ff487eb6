/* model/family.c - see family.h. */
#include "model/family.h"

#include "model/special.h"
#include <math.h>

// Stirling's series needs arguments from here on; smaller ones are raised by the recurrence.
static const double LARGE = 10;
// A t of more than 2 * 100 degrees is taken as normal (specification, chapter 6).
static const double NORMAL_SHAPE = 100;
// From here on, or nearer to the middle than NEAR, an expansion is good enough.
static const double QUICK_SHAPE = 10, QUICK_SHAPE_NEAR = 2.5, NEAR = 6;

/* What remains of ln gamma(a) beyond (a - 1/2) ln a - a + ln sqrt(2 pi). */
static double stirling_rest(double a) {
    double r = 1 / a, square = r * r;
    return r * (1.0 / 12 - square * (1.0 / 360 - square * (1.0 / 1260 - square / 1680)));
}

double family_ln_gamma(double a) {
    static const double LN_SQRT_2PI = 0.91893853320467274178;
    double product = 1;
    for (; a < LARGE; a++)
        product *= a;
    double value = (a - 0.5) * log(a) - a + LN_SQRT_2PI + stirling_rest(a);
    return product == 1 ? value : value - log(product);
}

double family_ln_gamma_step(double a, double step) {
    double product = 1;  // gamma(a + step) / gamma(a) in terms of a + 1, a + 2, ...
    for (; a < LARGE; a++)
        product *= a / (a + step);
    double end = a + step;
    double value = (a - 0.5) * log1p(step / a) + step * log(end) - step + stirling_rest(end) -
                   stirling_rest(a);
    return product == 1 ? value : value + log(product);
}

struct family_psi family_psi(double a) {
    struct family_psi psi = {0, 0};
    for (; a < LARGE; a++) {
        psi.value -= 1 / a;
        psi.slope += 1 / (a * a);
    }
    double r = 1 / a, square = r * r;
    psi.value +=
        log(a) - r / 2 -
        square * (1.0 / 12 - square * (1.0 / 120 - square * (1.0 / 252 - square / 240)));
    psi.slope +=
        r + square / 2 +
        r * square * (1.0 / 6 - square * (1.0 / 30 - square * (1.0 / 42 - square / 30)));
    return psi;
}

/* Whether the quick tail is as good as the exact one is needed. */
static bool is_quick(double z, double shape) {
    return shape >= QUICK_SHAPE || (shape >= QUICK_SHAPE_NEAR && fabs(z) < NEAR);
}

static double t_above(double z, double shape) {
    if (shape > NORMAL_SHAPE) return special_normal_above(z);
    bool quick = is_quick(z, shape);
    double tail = quick ? special_t_above_about(2 * shape, fabs(z))
                        : special_t_below(2 * shape, -fabs(z));
    return z < 0 ? 1 - tail : tail;
}

struct tails family_t_tails(double z, double width, double shape) {
    // Gauss-Legendre over the interval, where it is wide enough to matter.
    static const double NODE = 0.38729833462074168852, OUTER = 5.0 / 18, MIDDLE = 8.0 / 18;
    double far = t_above(fabs(z), shape);
    if (width > 0.25)
        far = MIDDLE * far + OUTER * (t_above(fabs(z) - NODE * width, shape) +
                                      t_above(fabs(z) + NODE * width, shape));
    return z < 0 ? (struct tails){far, 1 - far} : (struct tails){1 - far, far};
}

double family_t_quantile(double shape, double p) {
    if (shape > NORMAL_SHAPE) return special_normal_quantile(p);
    return special_t_quantile(2 * shape, p);
}

double family_doubled(struct tails t, enum tail watched) {
    double tail = watched == TAIL_BELOW   ? t.below
                  : watched == TAIL_ABOVE ? t.above
                                          : fmin(t.below, t.above);
    return fmin(2 * tail, 1);
}
