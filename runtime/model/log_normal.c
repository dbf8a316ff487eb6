/* model/log_normal.c - see log_normal.h. */
#include "model/log_normal.h"

#include "model/special.h"
#include <math.h>

static const double MARGIN = 1;           // smallest x + offset
static const double MIN_VARIANCE = 1e-8;  // of the logarithm: coefficient of variation 1e-4
enum { REBUILD = 32 };                    // quantiles from which a moved prior is built again

struct log_normal log_normal_new(void) {
    return (struct log_normal){.logs = normal_new(), .offset = MARGIN};
}

bool log_normal_informed(const struct log_normal *l) { return normal_informed(&l->logs); }

static void keep_spread(struct log_normal *l) {
    if (log_normal_informed(l))
        l->logs.rate = fmax(l->logs.rate, (2 * l->logs.shape - 1) * MIN_VARIANCE);
}

/* The variance of the logarithm, and where and how wide it is when the variance of x is scaled:
 * the mean of x stays. */
struct logs {
    double variance, mean;
};

static struct logs scaled(const struct log_normal *l, double scale) {
    double r = l->logs.rate / l->logs.shape;
    if (scale == 1) return (struct logs){r, l->logs.mean};
    double t = r + log(exp(-r) - scale * expm1(-r));
    return (struct logs){t, l->logs.mean + (r - t) / 2};
}

/* Moves the offset: the prior is built again from quantiles of what it was. */
static void move_offset(struct log_normal *l, double offset) {
    double step = offset - l->offset, mean = 0, squares = 0;
    double spread = sqrt(l->logs.rate / l->logs.shape);
    l->offset = offset;
    if (l->logs.precision == 0) return;
    for (int k = 0; k < REBUILD; k++) {
        double z = special_normal_quantile((k + 0.5) / REBUILD);
        double y = log(exp(l->logs.mean + z * spread) + step), off = y - mean;
        mean += off / (k + 1);
        squares += off * (y - mean);
    }
    l->logs.mean = mean;
    l->logs.rate = l->logs.shape * squares / REBUILD;
    keep_spread(l);
}

static void make_room(struct log_normal *l, const struct family_sample *samples, size_t count) {
    double lowest = INFINITY;
    for (size_t i = 0; i < count; i++)
        lowest = fmin(lowest, samples[i].value);
    if (lowest + l->offset < MARGIN) move_offset(l, MARGIN - lowest);
}

/* The mean of ln(v + z) over z in [0, 1). */
static double ln_unit(double v) { return (v + 1) * log1p(1 / v) + log(v) - 1; }

struct evidence log_normal_learn(struct log_normal *l, const struct family_sample *samples,
                                 size_t count, bool integer) {
    struct evidence sum = {0, 0};
    make_room(l, samples, count);
    for (size_t i = 0; i < count; i++) {
        double v = fmax(samples[i].value + l->offset, MARGIN);  // rounding may cost the margin
        double y = integer ? ln_unit(v) : log(v), weight = samples[i].weight;
        struct logs usual = scaled(l, 1), now = scaled(l, samples[i].scale);
        bool known = log_normal_informed(l);
        double ratio = known ? now.variance / usual.variance : samples[i].scale;
        double shift = known ? now.mean - usual.mean : 0;
        struct family_sample sample = {y - shift, weight, ratio};
        double mode = (l->logs.mean - usual.variance - y);
        struct evidence e = normal_learn(&l->logs, &sample, 1, false);
        if (integer) l->logs.rate += weight / 24 / ((v + 0.5) * (v + 0.5));
        keep_spread(l);
        sum.ln_likelihood += e.ln_likelihood - weight * y;
        // The mode of x lies below the mean of ln x: its density is higher by the Jacobian.
        sum.distance += known ? fmax(e.distance - weight * (mode + usual.variance / 2), 0) : 0;
    }
    return sum;
}

void log_normal_age(struct log_normal *l, double keep) { normal_age(&l->logs, keep); }

static double deviation(const struct log_normal *l, const struct logs *at) {
    return sqrt((l->logs.precision + 1) / l->logs.precision * at->variance);
}

/* The interval of y that an integral x stands for. */
static double width(double v, const struct family_scale *s) {
    return s->integer ? 1 / (v + 0.5) : 0;
}

struct tails log_normal_tails(const struct log_normal *l, double x,
                              const struct family_scale *s) {
    struct logs at = scaled(l, s->seasonal * s->count);
    double v = x + l->offset, spread = deviation(l, &at);
    if (v <= 0) return (struct tails){0, 1};
    double y = log(s->integer ? v + 0.5 : v);
    return family_t_tails((y - at.mean) / spread, width(v, s) / spread, l->logs.shape);
}

double log_normal_probability(const struct log_normal *l, double x,
                              const struct family_scale *s, enum tail watched,
                              struct tails *tails) {
    *tails = log_normal_tails(l, x, s);
    if (watched != TAIL_BOTH) return family_doubled(*tails, watched);
    struct logs at = scaled(l, s->seasonal * s->count);
    double v = x + l->offset, spread = deviation(l, &at);
    if (v <= 0) return tails->below;
    // The density of v is that of y = ln v times e^-y: symmetric in y around mean - variance.
    double y = log(s->integer ? v + 0.5 : v), mode = at.mean - spread * spread;
    double z = (2 * mode - y - at.mean) / spread;
    struct tails other = family_t_tails(z, width(v, s) / spread, l->logs.shape);
    return fmin(y < mode ? tails->below + other.above : tails->above + other.below, 1);
}

double log_normal_quantile(const struct log_normal *l, double p, const struct family_scale *s) {
    struct logs at = scaled(l, s->seasonal * s->count);
    double y = at.mean + deviation(l, &at) * family_t_quantile(l->logs.shape, p);
    return exp(y) - l->offset - (s->integer ? 0.5 : 0);
}

double log_normal_mean(const struct log_normal *l, bool integer) {
    if (l->logs.precision == 0) return 0;
    double r = l->logs.rate / l->logs.shape;
    return exp(l->logs.mean + r / 2) - l->offset - (integer ? 0.5 : 0);
}

double log_normal_mode(const struct log_normal *l, bool integer) {
    if (l->logs.precision == 0) return 0;
    double r = l->logs.rate / l->logs.shape;
    return exp(l->logs.mean - r) - l->offset - (integer ? 0.5 : 0);
}

double log_normal_variance(const struct log_normal *l) {
    if (!log_normal_informed(l)) return INFINITY;
    double r = l->logs.rate / l->logs.shape * (l->logs.precision + 1) / l->logs.precision;
    return exp(2 * l->logs.mean + r) * expm1(r);
}
