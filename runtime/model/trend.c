/* model/trend.c - see trend.h. */
#include "model/trend.h"

#include "model/special.h"
#include <math.h>

#define WEEK_S 604800.0
#define DAY_S 86400.0
#define HALF_DAY_S 43200.0
#define MEMORY 336.0      // values, at least, over which the two predictions are compared
#define FIRST_TEST 7.0    // values
#define TEST_EVERY 1.125  // the number of values grows by this from test to test
#define SMALLEST_SHARE 0.01
#define TURN_ON 0.25
#define TURN_OFF 0.05

static const double scale[TREND_MODELS] = {72, 12, 1, 0.1};

// Rises from 0 to 1 around 1.
static double logistic(double x, double width) { return 1 / (1 + exp((1 - x) / width)); }

void trend_init(struct trend *t, double bucket_span_s) {
    *t = (struct trend){.origin_s = INFINITY, .decay = 1, .test_at = FIRST_TEST};
    t->rate_per_day = TREND_RATE_PER_DAY / fmax(floor(bucket_span_s / HALF_DAY_S), 1);
    t->memory = fmax(MEMORY, WEEK_S / bucket_span_s);
}

void trend_clear(struct trend *t) {
    double rate = t->rate_per_day, decay = t->decay, memory = t->memory;
    *t = (struct trend){.origin_s = INFINITY, .test_at = FIRST_TEST};
    t->rate_per_day = rate;
    t->memory = memory;
    t->decay = decay;
}

// The average's weights: how near a model's memory is to the one that is wanted.
static void weigh(const struct trend *t, double weight[TREND_MODELS]) {
    double sum = 0, kept = 0;
    for (size_t i = 0; i < TREND_MODELS; i++) {
        weight[i] = fmin(scale[i] / t->decay, t->decay / scale[i]);
        sum += weight[i];
    }
    for (size_t i = 0; i < TREND_MODELS; i++) {
        if (weight[i] < SMALLEST_SHARE * sum) weight[i] = 0;
        kept += weight[i];
    }
    for (size_t i = 0; i < TREND_MODELS; i++)
        weight[i] /= kept;
}

// A parabola through three values is no prediction: order 2 waits for more.
static unsigned order(const struct moments *m) {
    double squares = m->t[0];
    return squares < 4 ? 0 : squares < 12 ? 1 : 2;
}

static void refit(struct trend *t) {
    double weight[TREND_MODELS], at = (t->last_s - t->origin_s) / WEEK_S;
    weigh(t, weight);
    t->fit = (struct parabola){{0}};
    t->leverage = 0;
    for (size_t i = 0; i < TREND_MODELS; i++) {
        if (weight[i] == 0) continue;
        double leverage;
        struct parabola fit = moments_fit(&t->model[i], order(&t->model[i]), at, &leverage);
        for (size_t k = 0; k < 3; k++)
            t->fit.c[k] += weight[i] * fit.c[k];
        t->leverage += weight[i] * fmin(leverage, 1);
    }
}

double trend_at(const struct trend *t, double time_s) {
    if (t->values == 0) return 0;
    double level = parabola_at(&t->fit, (time_s - t->origin_s) / WEEK_S);
    double beyond = (time_s - t->last_s) / fmax(t->last_s - t->first_s, 1);
    if (beyond < 0.5) return level;
    double bend = logistic(beyond, 0.1);
    return (1 - bend) * level + bend * t->mean;
}

double trend_variance(const struct trend *t) { return t->leverage * t->noise; }

// Running means; the newest value weighs its share, and at least one in memory.
static void follow(struct trend *t, double time_s, double level, double share) {
    double gain = share / fmin(t->values, t->memory);
    double error = level - trend_at(t, time_s), plain = level - t->mean;
    t->noise += gain * (error * error - t->noise);
    if (t->values > 2) {
        t->with += gain * (error * error - t->with);
        t->without += gain * (plain * plain - t->without);
    }
    t->mean += gain * plain;
}

void trend_learn(struct trend *t, double time_s, double level, double weight, double share) {
    if (t->values == 0) t->origin_s = t->first_s = t->last_s = time_s;
    t->values += share;
    if (t->values > share)
        follow(t, time_s, level, share);
    else
        t->mean = level;
    double ahead = floor((time_s - t->origin_s) / WEEK_S);
    if (ahead >= 1) {
        t->origin_s += ahead * WEEK_S;
        for (size_t i = 0; i < TREND_MODELS; i++)
            moments_move(&t->model[i], ahead);
    }
    for (size_t i = 0; i < TREND_MODELS; i++)
        moments_add(&t->model[i], (time_s - t->origin_s) / WEEK_S, level, weight * share);
    t->last_s = fmax(t->last_s, time_s);
    refit(t);
}

void trend_age(struct trend *t, double seconds) {
    double faded = seconds / DAY_S * t->rate_per_day;
    for (size_t i = 0; i < TREND_MODELS; i++)
        moments_fade(&t->model[i], exp(-scale[i] * faded));
}

void trend_set_decay(struct trend *t, double multiplier) { t->decay = multiplier; }

void trend_lift(struct trend *t, double level) {
    for (size_t i = 0; i < TREND_MODELS; i++)
        moments_lift(&t->model[i], level, 0);
    t->fit.c[0] += level;
    t->mean += level;
}

// Share of the evidence for a trend: its errors are significantly and clearly smaller.
static double evidence(const struct trend *t) {
    double freedom = fmin(t->values, t->memory) - 3;
    if (!(freedom > 1) || !(t->without > 0)) return 0;
    double ratio = t->with / t->without;  // F's reciprocal
    double x = 1 / (1 + fmax(1 / fmax(ratio, 1e-12), 1e-12));
    double ln_p = special_ln_beta_below(freedom / 2, freedom / 2, x);
    return logistic(ln_p / log(0.001), 0.1) * (1 - logistic(ratio / 0.6, 0.2));
}

bool trend_helps(struct trend *t, bool counts) {
    if (t->values < t->test_at) return counts;
    t->test_at = fmax(t->values + 1, t->values * TEST_EVERY);
    double found = evidence(t);
    return found >= (counts ? TURN_OFF : TURN_ON);
}

void trend_save(const struct trend *t, struct pack *p) {
    for (size_t i = 0; i < TREND_MODELS; i++)
        moments_save(&t->model[i], p);
    for (size_t k = 0; k < 3; k++)
        pack_f64(p, t->fit.c[k]);
    const double rest[] = {t->origin_s, t->first_s, t->last_s, t->values,  t->noise,
                           t->leverage, t->mean,    t->with,   t->without, t->rate_per_day,
                           t->decay,    t->test_at, t->memory};
    for (size_t i = 0; i < sizeof rest / sizeof *rest; i++)
        pack_f64(p, rest[i]);
}

bool trend_load(struct trend *t, struct unpack *u) {
    for (size_t i = 0; i < TREND_MODELS; i++)
        moments_load(&t->model[i], u);
    for (size_t k = 0; k < 3; k++)
        t->fit.c[k] = unpack_f64(u);
    double *rest[] = {&t->origin_s, &t->first_s, &t->last_s, &t->values,  &t->noise,
                      &t->leverage, &t->mean,    &t->with,   &t->without, &t->rate_per_day,
                      &t->decay,    &t->test_at, &t->memory};
    for (size_t i = 0; i < sizeof rest / sizeof *rest; i++)
        *rest[i] = unpack_f64(u);
    return !u->failed && t->decay > 0 && t->values >= 0 && t->rate_per_day > 0 &&
           t->memory >= MEMORY;
}
