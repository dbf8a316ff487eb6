/* model/moments.c - see moments.h. */
#include "model/moments.h"

#include <math.h>

#define FLAT 1e-10   // a variance of times below this share of their mean square is rounding
#define SQUARE 1e-6  // a norm of P2 below this: three times at most, or rounding

double parabola_at(const struct parabola *p, double t) {
    return p->c[0] + t * (p->c[1] + t * p->c[2]);
}

void moments_add(struct moments *m, double t, double y, double weight) {
    double power = weight;
    for (size_t k = 0; k < 5; k++, power *= t) {
        m->t[k] += power;
        if (k < 3) m->y[k] += power * y;
    }
}

void moments_fade(struct moments *m, double factor) {
    for (size_t k = 0; k < 5; k++)
        m->t[k] *= factor;
    for (size_t k = 0; k < 3; k++)
        m->y[k] *= factor;
}

// sum of w (t - d)^k from the sums of w t^j, j <= k: the binomial theorem, highest first.
static void move(double *sums, size_t count, double d) {
    static const double choose[5][5] = {{1}, {1, 1}, {1, 2, 1}, {1, 3, 3, 1}, {1, 4, 6, 4, 1}};
    for (size_t k = count; k-- > 0;) {
        double sum = 0, power = 1;
        for (size_t j = k + 1; j-- > 0; power *= -d)
            sum += choose[k][j] * power * sums[j];
        sums[k] = sum;
    }
}

void moments_move(struct moments *m, double by) {
    move(m->t, 5, by);
    move(m->y, 3, by);
}

void moments_lift(struct moments *m, double level, double slope) {
    for (size_t k = 0; k < 3; k++)
        m->y[k] += level * m->t[k] + slope * m->t[k + 1];
}

// The fit in u = (t - mean) / deviation, back in powers of t.
static struct parabola unstandardise(const double c[3], double skew, double mean,
                                     double deviation) {
    double square = c[2], line = c[1] - c[2] * skew, level = c[0] - c[2];
    double m = mean / deviation;
    return (struct parabola){{level - line * m + square * m * m,
                              (line - 2 * square * m) / deviation,
                              square / (deviation * deviation)}};
}

struct parabola moments_fit(const struct moments *m, unsigned order, double leverage_at,
                            double *leverage) {
    double unused;
    if (!leverage) leverage = &unused;
    *leverage = INFINITY;
    if (!(m->t[0] > 0)) return (struct parabola){{0}};
    struct moments c = *m;
    double n = m->t[0], mean = m->t[1] / n;
    moments_move(&c, mean);
    double level = c.y[0] / n, variance = c.t[2] / n;
    *leverage = 1 / n;
    if (order == 0 || !(variance > FLAT * mean * mean)) return (struct parabola){{level}};

    double s = sqrt(variance), u = (leverage_at - mean) / s;
    double skew = c.t[3] / (n * variance * s), kurtosis = c.t[4] / (n * variance * variance);
    double line = c.y[1] / (n * s), bend = c.y[2] / (n * variance);
    double norm = kurtosis - skew * skew - 1;  // of P2
    double square = 0;
    *leverage = (1 + u * u) / n;
    if (order > 1 && norm > SQUARE) {
        double p2 = u * u - skew * u - 1;
        square = (bend - skew * line - level) / norm;
        *leverage += p2 * p2 / norm / n;
    }
    return unstandardise((double[]){level, line, square}, skew, mean, s);
}

void moments_save(const struct moments *m, struct pack *p) {
    for (size_t k = 0; k < 5; k++)
        pack_f64(p, m->t[k]);
    for (size_t k = 0; k < 3; k++)
        pack_f64(p, m->y[k]);
}

void moments_load(struct moments *m, struct unpack *u) {
    for (size_t k = 0; k < 5; k++)
        m->t[k] = unpack_f64(u);
    for (size_t k = 0; k < 3; k++)
        m->y[k] = unpack_f64(u);
}
