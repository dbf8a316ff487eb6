/* model/poisson.c - see poisson.h. */
#include "model/poisson.h"

#include "model/special.h"
#include <math.h>

static const double PRIOR_SHAPE = 0.1;

struct poisson poisson_new(void) {
    return (struct poisson){PRIOR_SHAPE, 0};
}

bool poisson_informed(const struct poisson *p) { return p->rate > 0; }

/* ln of the probability of x, up to what does not depend on x when `rest` is left out. */
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

struct tails poisson_tails(const struct poisson *p, double x) {
    double q = p->rate / (1 + p->rate), k = floor(x);
    if (k < 0) return (struct tails){0, 1};
    return (struct tails){special_beta_below(p->shape, k + 1, q),
                          k > 0 ? special_beta_above(p->shape, k, q) : 1};
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

double poisson_probability(const struct poisson *p, double x, enum tail watched,
                           struct tails *tails) {
    struct tails t = *tails = poisson_tails(p, x);
    if (watched != TAIL_BOTH) return family_doubled(t, watched);
    double k = floor(x), mode = poisson_mode(p);
    if (k < 0) return 0;
    if (k == mode) return 1;
    double other = equally_likely(p, k, mode);
    if (other < 0) return t.above;
    struct tails o = poisson_tails(p, other);
    return fmin(k > mode ? t.above + o.below : t.below + o.above, 1);
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
