/* model/poisson.c - see poisson.h. */
#include "model/poisson.h"

#include "model/special.h"
#include <math.h>

static const double PRIOR_SHAPE = 0.1;
static const double NARROW = 100;  // variance below which masses are added one by one

struct poisson poisson_new(void) {
    return (struct poisson){PRIOR_SHAPE, 0};
}

bool poisson_informed(const struct poisson *p) { return p->rate > 0; }

/* ln of the probability of x. */
static double ln_mass(const struct poisson *p, double x) {
    return family_ln_gamma_step(p->shape, x) - family_ln_gamma(x + 1) -
           p->shape * log1p(1 / p->rate) - x * log1p(p->rate);
}

struct evidence poisson_learn(struct poisson *p, const struct family_sample *samples,
                              size_t count) {
    struct evidence sum = {0, 0};
    for (size_t i = 0; i < count; i++) {
        double w = samples[i].weight, x = fmax(samples[i].value, 0);
        if (poisson_informed(p)) {
            sum.ln_likelihood += family_ln_gamma_step(p->shape, w * x) -
                                 w * family_ln_gamma(x + 1) - p->shape * log1p(w / p->rate) -
                                 w * x * log(p->rate + w);
            sum.distance += w * fmax(ln_mass(p, poisson_mode(p)) - ln_mass(p, x), 0);
        }
        p->shape += w * x;
        p->rate += w;
    }
    return sum;
}

void poisson_age(struct poisson *p, double keep) {
    p->shape = PRIOR_SHAPE + keep * (p->shape - PRIOR_SHAPE);
    p->rate *= keep;
}

// --- asking ----------------------------------------------------------------------------------

/* The mass of x relative to that of x - 1. */
static double growth(const struct poisson *p, double x) {
    return (p->shape + x - 1) / (x * (1 + p->rate));
}

/* The mass of k, which is `mass`, and of all beyond it, away from the mode: every term is
 * smaller than the one before. */
static double sum_above(const struct poisson *p, double k, double mass) {
    double sum = mass;
    for (double x = k + 1; mass > sum * 1e-14; x++)
        sum += mass *= growth(p, x);
    return sum;
}

static double sum_below(const struct poisson *p, double k, double mass) {
    double sum = mass;
    for (double x = k; x > 0 && mass > sum * 1e-14; x--)
        sum += mass /= growth(p, x);
    return sum;
}

/* Whether tails are sums of few masses; else they are incomplete beta functions. */
static bool narrow(const struct poisson *p) { return poisson_variance(p) < NARROW; }

struct tails poisson_tails(const struct poisson *p, double x) {
    double q = p->rate / (1 + p->rate), k = floor(x);
    if (k < 0) return (struct tails){0, 1};
    if (!narrow(p))
        return (struct tails){special_beta_below(p->shape, k + 1, q),
                              k > 0 ? special_beta_above(p->shape, k, q) : 1};
    double mass = exp(ln_mass(p, k));
    if (k > poisson_mode(p)) {
        double above = sum_above(p, k, mass);
        return (struct tails){1 - above + mass, above};
    }
    double below = sum_below(p, k, mass);
    return (struct tails){below, 1 - below + mass};
}

/* The mass of the counts on the other side of the mode that are no more likely than k. */
static double other_side(const struct poisson *p, double k, double mode) {
    double mass = exp(ln_mass(p, k)), at = mass, level = mass * (1 + 1e-12), x = k;
    if (k > mode) {
        while (x > 0 && (x > mode || at > level))
            at /= growth(p, x--);
        return at > level ? 0 : sum_below(p, x, at);
    }
    while (x <= mode || at > level)
        at *= growth(p, ++x);
    return sum_above(p, x, at);
}

/* The count nearest to the mode on its other side that is no more likely than x; -1 below 0. */
static double equally_likely(const struct poisson *p, double x, double mode) {
    double level = ln_mass(p, x) * (1 + 1e-12), inside = mode, outside;
    if (x > mode) {
        if (ln_mass(p, 0) > level) return -1;
        outside = 0;
    } else {
        double step = mode - x + 1;
        outside = mode + step;
        while (ln_mass(p, outside) > level)
            outside += step *= 2;
    }
    while (fabs(outside - inside) > 1) {
        double half = floor((outside + inside) / 2);
        *(ln_mass(p, half) > level ? &inside : &outside) = half;
    }
    return outside;
}

static double wide_other_side(const struct poisson *p, double k, double mode) {
    double other = equally_likely(p, k, mode);
    if (other < 0) return 0;
    struct tails t = poisson_tails(p, other);
    return k > mode ? t.below : t.above;
}

double poisson_probability(const struct poisson *p, double x, enum tail watched,
                           struct tails *tails) {
    struct tails t = *tails = poisson_tails(p, x);
    if (watched != TAIL_BOTH) return family_doubled(t, watched);
    double k = floor(x), mode = poisson_mode(p);
    if (k < 0) return 0;
    if (k == mode) return 1;
    double own = k > mode ? t.above : t.below;
    // A far count has no equal within reach of single steps, and hardly needs one.
    bool near = narrow(p) && fabs(k - mode) < 4 * NARROW;
    return fmin(own + (near ? other_side : wide_other_side)(p, k, mode), 1);
}

double poisson_quantile(const struct poisson *p, double probability) {
    double q = p->rate / (1 + p->rate), low = -1, high = 1 + 2 * poisson_mean(p);
    while (special_beta_below(p->shape, high + 1, q) < probability)
        high *= 2;
    high = ceil(high);
    while (high - low > 1) {
        double half = floor((high + low) / 2);
        *(special_beta_below(p->shape, half + 1, q) < probability ? &low : &high) = half;
    }
    return high;
}

double poisson_mean(const struct poisson *p) { return p->rate > 0 ? p->shape / p->rate : 0; }

double poisson_mode(const struct poisson *p) {
    if (p->shape <= 1 || p->rate == 0) return 0;
    return floor((p->shape - 1) / p->rate);
}

double poisson_variance(const struct poisson *p) {
    if (p->rate == 0) return INFINITY;
    return p->shape / p->rate * (1 + 1 / p->rate);
}
