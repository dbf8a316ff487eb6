/* model/spline.c - see spline.h. */
#include "model/spline.h"

#include <string.h>

// A tridiagonal system, rows i: low[i] z[i-1] + mid[i] z[i] + high[i] z[i+1] = right[i].
struct band {
    double low[SPLINE_KNOTS], mid[SPLINE_KNOTS], high[SPLINE_KNOTS];
};

static void solve(const struct band *b, const double *right, double *z, size_t n) {
    double share[SPLINE_KNOTS];
    double pivot = b->mid[0];
    z[0] = right[0] / pivot;
    for (size_t i = 1; i < n; i++) {
        share[i] = b->high[i - 1] / pivot;
        pivot = b->mid[i] - b->low[i] * share[i];
        z[i] = (right[i] - b->low[i] * z[i - 1]) / pivot;
    }
    for (size_t i = n - 1; i-- > 0;)
        z[i] -= share[i + 1] * z[i + 1];
}

// The two corners of the cyclic system are a product of two vectors: two plain solutions.
static void solve_cyclic(struct band *b, double last_first, double first_last,
                         const double *right, double *z, size_t n) {
    double u[SPLINE_KNOTS] = {0}, q[SPLINE_KNOTS];
    double gamma = -b->mid[0];
    b->mid[0] -= gamma;
    b->mid[n - 1] -= last_first * first_last / gamma;
    u[0] = gamma;
    u[n - 1] = last_first;
    solve(b, right, z, n);
    solve(b, u, q, n);
    double along = first_last / gamma;
    double factor = (z[0] + along * z[n - 1]) / (1 + q[0] + along * q[n - 1]);
    for (size_t i = 0; i < n; i++)
        z[i] -= factor * q[i];
}

void spline_bends(const double *x, const double *y, double *bend, size_t count) {
    memset(bend, 0, count * sizeof *bend);
    if (count < 3) return;
    struct band b;
    double right[SPLINE_KNOTS];
    for (size_t i = 0; i < count; i++) {
        size_t before = i ? i - 1 : count - 1, after = i + 1 < count ? i + 1 : 0;
        double left_width = x[i] - x[before] + (i ? 0 : 1);
        double right_width = x[after] - x[i] + (after ? 0 : 1);
        b.low[i] = left_width / 6;
        b.mid[i] = (left_width + right_width) / 3;
        b.high[i] = right_width / 6;
        right[i] = (y[after] - y[i]) / right_width - (y[i] - y[before]) / left_width;
    }
    // Row 0 reaches back to the last knot, the last row forward to the first.
    solve_cyclic(&b, b.high[count - 1], b.low[0], right, bend, count);
}
