/* model/decay.c - see decay.h. */
#include "model/decay.h"

#include <math.h>

static const double RECENT = 25, HISTORY = 5;  // times the decay rate: their own decay
static const double ENOUGH = 0.0005 * 336;     // times share / rate: a week of half-hours
static const double LN_STEP =
    0.1823215567939546;                      // ln 1.2 per reference bucket: of the multiplier
static const double LEAST = 0.2, MOST = 40;  // multipliers
static const double NOISE = 1e-4;            // of the level
static const double CLIP = 10;               // errors beyond so many usual ones are cut
static const double DAY_S = 86400, REFERENCE_S = 1800;

struct decay decay_new(void) {
    return (struct decay){.target = 1, .smooth = 1};
}

static void add(double *mean, double value, double count, double weight) {
    *mean += (value - *mean) * weight / count;
}

/* 1 to forget faster, -1 slower, 0 to stay. `r` and `h` are errors now and before. */
static int wanted(const struct decay *d, bool both_ways, double noise) {
    double r = d->recent + noise, h = d->history + noise, bias = fabs(d->bias);
    if (r > 2 * h || bias > 0.5 * r || (both_ways && h > 1.5 * r)) return 1;
    return r < 1.2 * h && bias < 0.3 * r && (!both_ways || h < 1.2 * r) ? -1 : 0;
}

static double most(double span_s) {
    return MOST / (1 + fmin(fmax((span_s - REFERENCE_S) / DAY_S, 0), 1));
}

void decay_learn(struct decay *d, const struct decay_options *o, double error, double level) {
    if (d->history_count > 1) {
        double usual = CLIP * d->history;
        error = fmin(fmax(error, d->bias - usual), d->bias + usual);
    }
    // Half rates are small: 1 - x is e^-x to a millionth, and saves two exponentials a bucket.
    d->recent_count = d->recent_count * fmax(1 - RECENT * o->rate, 0) + o->share;
    d->history_count = d->history_count * fmax(1 - HISTORY * o->rate, 0) + o->share;
    add(&d->bias, error, d->recent_count, o->share);
    add(&d->recent, fabs(error), d->recent_count, o->share);
    add(&d->history, fabs(error), d->history_count, o->share);
    if (d->history_count <= ENOUGH * o->share / o->rate) return;
    int want = wanted(d, o->both_ways, NOISE * fabs(level));
    if (want != 0) {
        double step = exp(want * o->share * LN_STEP);
        d->target = fmin(fmax(d->target * step, LEAST), most(o->span_s));
    }
    d->smooth_count = d->smooth_count * fmax(1 - o->rate * d->smooth, 0) + 1;
    add(&d->smooth, d->target, d->smooth_count, 1);
}

void decay_save(const struct decay *d, struct pack *p) {
    pack_f64(p, d->recent_count);
    pack_f64(p, d->bias);
    pack_f64(p, d->recent);
    pack_f64(p, d->history_count);
    pack_f64(p, d->history);
    pack_f64(p, d->target);
    pack_f64(p, d->smooth_count);
    pack_f64(p, d->smooth);
}

bool decay_load(struct unpack *u, struct decay *out) {
    double *numbers[] = {&out->recent_count,  &out->bias,    &out->recent,
                         &out->history_count, &out->history, &out->target,
                         &out->smooth_count,  &out->smooth};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        *numbers[i] = unpack_finite(u);
    bool counts = out->recent_count >= 0 && out->history_count >= 0 && out->smooth_count >= 0;
    bool multipliers = out->smooth > 0 && out->smooth <= MOST && out->target > 0;
    return !u->failed && counts && multipliers;
}
