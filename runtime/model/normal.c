/* model/normal.c - see normal.h. */
#include "model/normal.h"

#include <math.h>

static const double MIN_VARIATION = 1e-4;  // smallest coefficient of variation
static const double MIN_MEAN = 1e-8;       // ... and smallest mean that it refers to
static const double SPREAD_KNOWN = 1.5;    // samples after which the spread has a floor

struct normal normal_new(void) {
    return (struct normal){.shape = 1};
}

bool normal_informed(const struct normal *n) { return n->precision > SPREAD_KNOWN; }

static void keep_spread(struct normal *n) {
    if (n->precision <= SPREAD_KNOWN) return;
    double deviation = MIN_VARIATION * fmax(fabs(n->mean), MIN_MEAN);
    n->rate = fmax(n->rate, (2 * n->shape - 1) * deviation * deviation);
}

/* The sums over samples that the update needs. */
struct sums {
    double count, weight;    // of samples; the same divided by their scales
    double mean, deviation;  // sum of squared deviations from the mean
};

static struct sums add_up(const struct family_sample *samples, size_t count, bool integer) {
    struct sums t = {0, 0, 0, 0};
    for (size_t i = 0; i < count; i++) {
        double weight = samples[i].weight / samples[i].scale;
        double off = samples[i].value - t.mean;
        t.count += samples[i].weight;
        t.weight += weight;
        t.mean += off * weight / t.weight;
        t.deviation += weight * off * (samples[i].value - t.mean);
    }
    if (integer) {
        t.mean += 0.5;
        t.deviation += t.count / 12;
    }
    return t;
}

/* ln of the marginal likelihood: the ratio of the prior's normalisations before and after. */
static double ln_likelihood(const struct normal *n, const struct sums *t, double rate) {
    static const double LN_2PI = 1.83787706640934548356;
    return family_ln_gamma_step(n->shape, t->count / 2) -
           n->shape * log1p((rate - n->rate) / n->rate) - t->count / 2 * log(rate) +
           0.5 * log(n->precision / (n->precision + t->weight)) -
           t->count / 2 * (LN_2PI - log(t->weight / t->count));
}

struct evidence normal_learn(struct normal *n, const struct family_sample *samples,
                             size_t count, bool integer) {
    struct evidence evidence = {0, 0};
    struct sums t = add_up(samples, count, integer);
    double off = t.mean - n->mean, total = n->precision + t.weight;
    double shift = n->precision * t.weight * off * off / total;
    // The deviation of one sample from itself may round to just below nothing.
    double rate = n->rate + 0.5 * fmax(t.deviation + shift, 0);
    if (normal_informed(n)) {
        evidence.ln_likelihood = ln_likelihood(n, &t, rate);
        evidence.distance =
            (n->shape + t.count / 2) * log1p(0.5 * shift / (rate - 0.5 * shift));
    }
    n->shape += t.count / 2;
    n->rate = rate;
    n->mean = (n->precision * n->mean + t.weight * t.mean) / total;
    n->precision = total;
    keep_spread(n);
    return evidence;
}

void normal_drop_integer(struct normal *n) {
    if (n->precision == 0) return;
    n->mean -= 0.5;
    n->rate = fmax(n->rate - (n->shape - 1) / 12, 0);
    keep_spread(n);
}

void normal_age(struct normal *n, double keep) {
    double fade = fmin((keep * n->shape + (1 - keep)) / n->shape, 1);
    n->precision *= keep;
    n->shape *= fade;
    n->rate *= fade;
}

/* The deviation of the next value at the usual moment. */
static double deviation(const struct normal *n, double count_scale) {
    return sqrt((count_scale * n->precision + 1) / n->precision * n->rate / n->shape);
}

struct tails normal_tails(const struct normal *n, double x, const struct family_scale *s) {
    double pull = 1 / sqrt(s->seasonal), spread = deviation(n, s->count);
    double middle = s->integer ? x + 0.5 : x;
    return family_t_tails((middle - n->mean) * pull / spread, s->integer ? pull / spread : 0,
                          n->shape);
}

double normal_probability(const struct normal *n, double x, const struct family_scale *s,
                          enum tail watched, struct tails *tails) {
    *tails = normal_tails(n, x, s);
    return family_doubled(*tails, watched);
}

double normal_quantile(const struct normal *n, double p, const struct family_scale *s) {
    return normal_mean(n, s->integer) +
           sqrt(s->seasonal) * deviation(n, s->count) * family_t_quantile(n->shape, p);
}

double normal_mean(const struct normal *n, bool integer) {
    return integer && n->precision > 0 ? n->mean - 0.5 : n->mean;
}

double normal_variance(const struct normal *n) {
    if (n->shape <= 1) return INFINITY;
    return (n->precision + 1) / n->precision * n->rate / (n->shape - 1);
}
