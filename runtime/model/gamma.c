/* model/gamma.c - see gamma.h. */
#include "model/gamma.h"

#include "model/special.h"
#include <math.h>

static const double MARGIN = 0.1;     // smallest x + offset
static const double INFORMED = 3.5;   // samples that a shape needs
static const double MAX_SHAPE = 1e8;  // coefficient of variation 1e-4
static const double MIN_SHAPE = 1e-3;
static const double PLAIN = 100;      // prior shapes beyond so many shapes: a plain gamma
static const double LARGE_SHAPE = 5;  // from here on expansions are good enough
enum { REBUILD = 32, STEPS = 60 };

struct gamma gamma_new(void) {
    return (struct gamma){.offset = MARGIN};
}

bool gamma_informed(const struct gamma *g) { return g->shape > 0; }

// --- learning --------------------------------------------------------------------------------

/* Shape a with psi(n a + 1) - psi(a) = ln(n mean) - ln_mean: the left side falls from infinity
 * to ln n. Newton's method in ln a; starts from the last shape, which is two steps away. */
static double fit_shape(const struct gamma *g) {
    double excess = log(g->mean) - g->ln_mean;  // >= 0, ln n on both sides left out
    if (excess < 0.5 / MAX_SHAPE) return MAX_SHAPE;
    double ln_n = log(g->count), a = g->shape;
    if (a <= 0)
        a = (3 - excess + sqrt((excess - 3) * (excess - 3) + 24 * excess)) / 12 / excess;
    for (int i = 0; i < STEPS; i++) {
        struct family_psi all = family_psi(g->count * a + 1), one = family_psi(a);
        double error = all.value - ln_n - one.value - excess;
        double slope = (g->count * all.slope - one.slope) * a;
        double step = fmin(fmax(-error / slope, -2), 2);
        a = fmin(fmax(a * exp(step), MIN_SHAPE), MAX_SHAPE);
        if (fabs(step) < 1e-5) break;  // the next would be below 1e-10
    }
    return a;
}

/* Moves all that was learned by `step`: the mean of logarithms is built again from quantiles
 * (Wilson and Hilferty's cube of a normal) of what was. */
static void move(struct gamma *g, double step) {
    if (g->count == 0) return;
    double a = gamma_informed(g) ? g->shape : 1, mean = 0, ln_mean = 0;
    for (int k = 0; k < REBUILD; k++) {
        double z = special_normal_quantile((k + 0.5) / REBUILD);
        double root = fmax(1 - 1 / (9 * a) + z / (3 * sqrt(a)), 0);
        double v = fmax(g->mean * root * root * root + step, MARGIN);
        mean += v / REBUILD;
        ln_mean += log(v) / REBUILD;
    }
    double moved = fmax(g->mean + step, MARGIN);
    g->ln_mean = ln_mean + log(moved / mean);
    g->mean = moved;
}

static void make_room(struct gamma *g, const struct family_sample *samples, size_t count) {
    double lowest = INFINITY;
    for (size_t i = 0; i < count; i++)
        lowest = fmin(lowest, samples[i].value);
    double step = MARGIN - lowest - g->offset;
    if (!(step > 0)) return;
    g->offset += step;
    move(g, step);
}

/* The mean of ln(v + z) over z in [0, 1). */
static double ln_unit(double v) { return (v + 1) * log1p(1 / v) + log(v) - 1; }

/* How likely samples of this weight, mean and mean logarithm are: the rate is integrated out.
 */
static struct evidence judge(const struct gamma *g, double weight, double mean,
                             double ln_mean) {
    double a = g->shape, prior = 1 + g->count * a, rate = g->count * g->mean, n = weight * a;
    double ln_rate = log((prior + n) / (rate + weight * mean));
    struct evidence e;
    e.ln_likelihood = (prior - 0.5) * log1p(n / prior) - prior * log1p(weight * mean / rate) +
                      n * ln_rate - n - weight * family_ln_gamma(a) + (n - weight) * ln_mean;
    double mode = a > 1 ? rate * (a - 1) / (prior + 1) : MARGIN;
    e.distance = weight * ((a - 1) * (log(mode) - ln_mean) -
                           (prior + a) * log1p((mode - mean) / (rate + mean)));
    e.distance = fmax(e.distance, 0);
    return e;
}

struct evidence gamma_learn(struct gamma *g, const struct family_sample *samples, size_t count,
                            bool integer) {
    double weight = 0, mean = 0, ln_mean = 0, ln_scale = 0;
    make_room(g, samples, count);
    for (size_t i = 0; i < count; i++) {
        double v = fmax(samples[i].value + g->offset, MARGIN);  // rounding may cost the margin
        // A sample of another variance is drawn to the mean until it has the usual one.
        if (samples[i].scale != 1 && g->count > 0)
            v = fmax(g->mean + (v - g->mean) / sqrt(samples[i].scale), MARGIN);
        double w = samples[i].weight;
        weight += w;
        ln_scale += w * log(samples[i].scale);
        mean += w * (integer ? v + 0.5 : v);
        ln_mean += w * (integer ? ln_unit(v) : log(v));
    }
    mean /= weight;
    ln_mean /= weight;
    struct evidence e = {0, 0};
    if (gamma_informed(g)) e = judge(g, weight, mean, ln_mean);
    e.ln_likelihood -= ln_scale / 2;
    g->count += weight;
    g->mean += (mean - g->mean) * weight / g->count;
    g->ln_mean += (ln_mean - g->ln_mean) * weight / g->count;
    if (g->count >= INFORMED) g->shape = fit_shape(g);
    return e;
}

void gamma_drop_integer(struct gamma *g) {
    move(g, -0.5);
    if (gamma_informed(g)) g->shape = fit_shape(g);
}

void gamma_age(struct gamma *g, double keep) {
    if (g->count > INFORMED) g->count = keep * g->count + (1 - keep) * INFORMED;
}

// --- asking ----------------------------------------------------------------------------------

/* What the next x + offset follows: a gamma of this shape and rate, or, where the rate is not
 * sure, that with the rate's own gamma (prior, rate) mixed in. */
struct predicted {
    double shape, prior, rate;
    bool plain;
};

static struct predicted predict(const struct gamma *g, const struct family_scale *s) {
    double scale = s->seasonal * s->count;
    struct predicted p = {g->shape / scale, 1 + g->count * g->shape, g->count * g->mean * scale,
                          false};
    p.plain = p.prior > PLAIN * g->shape;
    if (p.plain) {
        p.rate = (p.prior - 2) / p.rate;
        p.shape *= (p.prior - 2) / (p.prior - 1);
    }
    return p;
}

/* The sum of c[0] + c[1] x + ... */
static double polynomial(const double *c, int count, double x) {
    double sum = 0;
    while (count-- > 0)
        sum = sum * x + c[count];
    return sum;
}

/* Q(a, x) for a >= 5 by Temme's uniform expansion, relative error below 2e-3 for tails down to
 * 1e-30: a fifth of the time of the exact function. N. Temme, "The asymptotic expansion of the
 * incomplete gamma functions", 1979; coefficients: DiDonato and Morris, 1986. */
static struct tails large_tails(double a, double x) {
    static const double C0[] = {-1.0 / 3,   1.0 / 12,        -2.0 / 135,  1.0 / 864,
                                1.0 / 2835, -139.0 / 777600, 1.0 / 25515, -571.0 / 261273600};
    static const double C1[] = {-1.0 / 540, -1.0 / 288, 1.0 / 378, -77.0 / 77760, 1.0 / 4860};
    double m = x / a - 1, half = m - log1p(m), eta = copysign(sqrt(2 * half), m);
    double first, second = polynomial(C1, 5, fmin(fmax(eta, -1), 1));
    first = fabs(eta) < 0.5 ? polynomial(C0, 8, eta) : 1 / m - 1 / eta;
    double rest = exp(-a * half) / sqrt(2 * M_PI * a) * (first + second / a);
    double z = eta * sqrt(a);
    if (m > 0) {
        double above = fmax(special_normal_above(z) + rest, 0);
        return (struct tails){1 - above, above};
    }
    double below = fmax(special_normal_above(-z) - rest, 0);
    return (struct tails){below, 1 - below};
}

/* (1 - t^2 + 2 t ln t) / (1 - t)^2, t > 0. */
static double lean(double t) {
    double e = 1 - t;
    if (fabs(e) < 0.01) return e * (1.0 / 3 + e * (1.0 / 6 + e * (1.0 / 10 + e / 15)));
    return (1 - t * t + 2 * t * log(t)) / (e * e);
}

/* The beta distribution's tails at z = 1 - y by a normal's: ln of a tail is exact to three
 * thousandths from a = 5 on. D. Peizer and J. Pratt, "A normal approximation for binomial, F,
 * beta, and other common, related tail probabilities", 1968. */
static struct tails beta_tails(double a, double b, double z, double y) {
    double n = a + b - 1, off = a - 1.0 / 3 - (n + 1.0 / 3) * z;
    off += 0.02 * (y / a - z / b + (y - 0.5) / (n + 1));
    double bend = 1 + y * lean((a - 0.5) / (n * z)) + z * lean((b - 0.5) / (n * y));
    double d = off * sqrt(bend / ((n + 1.0 / 6) * z * y));
    double far = special_normal_above(fabs(d));
    return d > 0 ? (struct tails){far, 1 - far} : (struct tails){1 - far, far};
}

static struct tails tails_of(const struct predicted *p, double v) {
    if (v <= 0) return (struct tails){0, 1};
    struct tails t;
    if (p->plain) {
        double x = p->rate * v;
        if (p->shape >= LARGE_SHAPE) return large_tails(p->shape, x);
        if (x > p->shape) {
            t.above = special_gamma_above(p->shape, x);
            t.below = 1 - t.above;
            return t;
        }
        t.below = special_gamma_below(p->shape, x);
        t.above = 1 - t.below;
        return t;
    }
    double z = v / (p->rate + v);
    if (p->shape >= LARGE_SHAPE)
        return beta_tails(p->shape, p->prior, z, p->rate / (p->rate + v));
    if (z * (p->prior + p->shape) > p->shape) {
        t.above = special_beta_above(p->shape, p->prior, z);
        t.below = 1 - t.above;
        return t;
    }
    t.below = special_beta_below(p->shape, p->prior, z);
    t.above = 1 - t.below;
    return t;
}

static double middle(const struct gamma *g, double x, bool integer) {
    return x + g->offset + (integer ? 0.5 : 0);
}

struct tails gamma_tails(const struct gamma *g, double x, const struct family_scale *s) {
    static const double NODE = 0.38729833462074168852, OUTER = 5.0 / 18, INNER = 8.0 / 18;
    struct predicted p = predict(g, s);
    double v = middle(g, x, s->integer);
    struct tails t = tails_of(&p, v);
    // An interval that is wide against the deviation: its mean, by Gauss and Legendre.
    if (s->integer && p.shape > 16 * g->mean * g->mean) {
        struct tails a = tails_of(&p, v - NODE), b = tails_of(&p, v + NODE);
        t.below = INNER * t.below + OUTER * (a.below + b.below);
        t.above = INNER * t.above + OUTER * (a.above + b.above);
    }
    return t;
}

/* The point on the other side of the mode that is as dense as v; 0 or infinity where none is.
 */
static double equally_dense(const struct predicted *p, double v) {
    // d(v) = (a - 1) ln v - rest(v), as a function of u = ln v, is concave: Newton converges
    // from outside the mode.
    double a = p->shape, mode;
    if (a <= 1) return 0;
    mode = p->plain ? (a - 1) / p->rate : p->rate * (a - 1) / (p->prior + 1);
    double b = p->prior + a, level = (a - 1) * log(v / mode);
    level -= p->plain ? p->rate * (v - mode) : b * log((p->rate + v) / (p->rate + mode));
    double w = mode * mode / v;  // the reflection of ln v
    for (int i = 0; i < STEPS; i++) {
        double density = (a - 1) * log(w / mode);
        density -= p->plain ? p->rate * (w - mode) : b * log((p->rate + w) / (p->rate + mode));
        double slope = a - 1 - (p->plain ? p->rate * w : b * w / (p->rate + w));
        if (slope == 0) break;
        double step = fmin(fmax((level - density) / slope, -3), 3);
        w *= exp(step);
        if (fabs(step) < 1e-6) break;
    }
    return w;
}

double gamma_probability(const struct gamma *g, double x, const struct family_scale *s,
                         enum tail watched, struct tails *tails) {
    struct tails t = *tails = gamma_tails(g, x, s);
    if (watched != TAIL_BOTH) return family_doubled(t, watched);
    struct predicted p = predict(g, s);
    double v = middle(g, x, s->integer);
    if (v <= 0) return t.below;
    double other = equally_dense(&p, v);
    struct tails o = tails_of(&p, other);
    return fmin(v < other ? t.below + o.above : t.above + o.below, 1);
}

double gamma_quantile(const struct gamma *g, double p, const struct family_scale *s) {
    struct predicted d = predict(g, s);
    double v;
    if (d.plain) {
        v = special_gamma_quantile(d.shape, p) / d.rate;
    } else {
        double z = special_beta_quantile(d.shape, d.prior, p);
        v = d.rate * z / (1 - z);
    }
    return v - g->offset - (s->integer ? 0.5 : 0);
}

double gamma_mean(const struct gamma *g, bool integer) {
    return g->count > 0 ? g->mean - g->offset - (integer ? 0.5 : 0) : 0;
}

double gamma_mode(const struct gamma *g, bool integer) {
    if (!gamma_informed(g)) return gamma_mean(g, integer);
    double mode = g->shape > 1 ? g->mean * (g->shape - 1) / g->shape : 0;
    return mode - g->offset - (integer ? 0.5 : 0);
}

double gamma_variance(const struct gamma *g) {
    if (!gamma_informed(g)) return INFINITY;
    double prior = 1 + g->count * g->shape, rate = g->count * g->mean;
    if (prior <= 2) return INFINITY;
    return g->shape * (g->shape + prior - 1) / (prior - 1) / (prior - 1) / (prior - 2) * rate *
           rate;
}
