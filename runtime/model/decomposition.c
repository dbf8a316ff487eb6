/* model/decomposition.c - see decomposition.h. */
#include "model/decomposition_state.h"

#include "model/special.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define SETTLED 50.0          // values after which single errors are clipped
#define CLIP 4.0              // at so many deviations
#define LEAST_VARIATION 1e-4  // of the level: smaller errors are rounding
#define MEMORY 500.0          // half hours, or longer buckets, over which errors are averaged
#define HALF_HOUR_S 1800.0
#define GAIN 3.0                  // how much of an error all components together may take
#define SEASON_FADE 6.0           // seasons fade so much slower than the trend
#define DERATE_S 259200.0         // three days
#define LARGEST 1e100             // values beyond are cut off: their squares must stay finite
#define HALF_Z 0.674489750196082  // of the interval that holds half

struct decomposition *decomposition_new(int64_t bucket_span_s) {
    struct decomposition *d = calloc(1, sizeof *d);
    if (!d) return NULL;
    d->span_s = (double)bucket_span_s;
    d->decay = 1;
    d->lowest = INFINITY;
    d->changed_s = -INFINITY;
    trend_init(&d->trend, d->span_s);
    season_window_open(&d->window[0], SEASON_WINDOW_SHORT, d->span_s);
    season_window_open(&d->window[1], SEASON_WINDOW_LONG, d->span_s);
    change_open(&d->change, d->span_s);
    calendar_open(&d->calendar, d->span_s);
    return d;
}

void decomposition_free(struct decomposition *d) {
    if (!d) return;
    for (size_t i = 0; i < d->seasons; i++)
        component_free(d->season[i]);
    for (size_t i = 0; i < DECOMPOSITION_WINDOWS; i++)
        season_window_close(&d->window[i]);
    calendar_close(&d->calendar);
    free(d);
}

// --- prediction ------------------------------------------------------------------------------

double decomposition_seasons_at(const struct decomposition *d, double time_s,
                                const bool *skip) {
    double sum = calendar_value(&d->calendar, time_s);
    for (size_t i = 0; i < d->seasons; i++)
        if (!skip || !skip[i]) sum += component_value(d->season[i], time_s);
    return sum;
}

double decomposition_mean_at(const struct decomposition *d, double time_s) {
    double level = d->trending ? trend_at(&d->trend, time_s) : 0;
    return level + decomposition_seasons_at(d, time_s, NULL);
}

double decomposition_level_at(const struct decomposition *d, double time_s) {
    return d->trending ? trend_at(&d->trend, time_s) : d->trend.mean;
}

static double z_of(double confidence) {
    if (confidence == 0.5) return HALF_Z;
    return confidence > 0 ? special_normal_quantile((1 + confidence) / 2) : 0;
}

// The middle of a time's bucket: values are of buckets, wherever in them their times lie, and a
// time at the edge between two phases must not fall into now this one, now that.
static double middle_of(const struct decomposition *d, double time_s) {
    return (floor(time_s / d->span_s) + 0.5) * d->span_s;
}

struct expected decomposition_predict(const struct decomposition *d, double time_s,
                                      double confidence) {
    time_s = middle_of(d, time_s);
    double mean = decomposition_mean_at(d, time_s);
    if (d->lowest >= 0) mean = fmax(mean, 0);
    if (confidence <= 0 || !d->trending) return (struct expected){mean, mean, mean};
    double variance = trend_variance(&d->trend);
    for (size_t i = 0; i < d->seasons; i++)
        variance += component_spread(d->season[i], time_s).estimate;
    double width = z_of(confidence) * sqrt(variance);
    double lower = d->lowest >= 0 ? fmax(mean - width, 0) : mean - width;
    return (struct expected){lower, mean, mean + width};
}

double decomposition_scale(const struct decomposition *d, double time_s, double variance,
                           double floor) {
    double here = 0, mean = 0, active = 0;
    time_s = middle_of(d, time_s);
    for (size_t i = 0; i < d->seasons; i++) {
        struct component_spread s = component_spread(d->season[i], time_s);
        here += s.here;
        mean += s.mean;
        active += s.mean > 0;
    }
    if (active == 0 || !(variance > 0)) return fmax(1, floor);
    double bias = fmin(2 * mean / active / variance, 1) * (active + 1) / active;
    return fmax(1 + fmin(bias, 1) * (here / mean - 1), floor);
}

double decomposition_derate(const struct decomposition *d, double time_s) {
    double since = time_s - d->changed_s;
    return since < 0 || since > DERATE_S ? 0 : 1 - since / DERATE_S;
}

// --- learning --------------------------------------------------------------------------------

void decomposition_tell(struct decomposition_news *news, const char *format, ...) {
    if (news->texts == DECOMPOSITION_TEXTS) return;
    va_list args;
    va_start(args, format);
    vsnprintf(news->text[news->texts++], DECOMPOSITION_TEXT_SIZE, format, args);
    va_end(args);
}

// In values of this series.
static double memory(const struct decomposition *d) {
    return MEMORY * fmax(HALF_HOUR_S / d->span_s, 1);
}

// How rough the series is, season or not; steps that are outliers count less.
static void follow_roughness(struct decomposition *d, double value, double share) {
    double step = value - d->last, half = step * step / 2;
    if (d->values > 0) d->rough += share / fmin(d->values, memory(d)) * (half - d->rough);
    d->last = value;
}

static bool look_for_seasons(struct decomposition *d, double time_s, double value, double share,
                             struct decomposition_news *news) {
    bool ok = true;
    for (size_t i = 0; i < DECOMPOSITION_WINDOWS; i++) {
        struct season_window *w = &d->window[i];
        if (season_window_due(w, time_s)) ok &= decomposition_test(d, w, news);
        season_window_advance(w, time_s);
        ok &= season_window_add(w, time_s, value, share);
    }
    return ok;
}

// Each part answers for its share of the error.
static void learn_parts(struct decomposition *d, double time_s, double error, double weight,
                        double share) {
    double parts = 1;
    for (size_t i = 0; i < d->seasons; i++)
        parts += season_share(component_season(d->season[i]), time_s);
    double own = error / fmax(parts / GAIN, 1);
    double level = trend_at(&d->trend, time_s);
    trend_learn(&d->trend, time_s, level + own, weight, share);
    for (size_t i = 0; i < d->seasons; i++) {
        component_learn(d->season[i], time_s, own, weight * share);
        double lifted = component_refresh(d->season[i], time_s, false);
        if (lifted != 0) trend_lift(&d->trend, lifted);
    }
}

static void follow_calendar(struct decomposition *d, double time_s, double error, double sigmas,
                            double share, struct decomposition_news *news) {
    struct calendar_feature found;
    if (calendar_test(&d->calendar, time_s, &found)) {
        char name[CALENDAR_NAME_SIZE];
        decomposition_tell(news, "Detected calendar feature: %s", calendar_name(&found, name));
    }
    calendar_learn(&d->calendar, time_s, error, sigmas, share);
}

// Errors around the level, season or not; those beyond four deviations count as four.
static void follow_change(struct decomposition *d, double time_s, double value, double share,
                          struct decomposition_news *news) {
    double expected =
        decomposition_level_at(d, time_s) + decomposition_seasons_at(d, time_s, NULL);
    double error = d->values > 0 ? value - expected : 0;
    double sigma = fmax(sqrt(d->noise), LEAST_VARIATION * fabs(expected));
    double sigmas = error != 0 ? fabs(error) / sigma : 0;
    change_add(&d->change, time_s, value, sigmas);
    follow_calendar(d, time_s, error, sigmas, share, news);
    double square = error * error;
    if (d->values > SETTLED && d->noise > 0) square = fmin(square, CLIP * CLIP * d->noise);
    // A change that is under way is not noise.
    share *= fmax(1 - 2 * d->change.large, 0);
    d->noise += share / fmin(d->values + share, memory(d)) * (square - d->noise);
    decomposition_change(d, time_s, news);
}

static void look_at_trend(struct decomposition *d, struct decomposition_news *news) {
    if (d->seasons) return;
    bool helps = trend_helps(&d->trend, d->trending);
    if (helps == d->trending) return;
    d->trending = helps;
    if (helps) decomposition_tell(news, "Detected trend");
    decomposition_refill(d, &d->window[0], 1, news);
}

bool decomposition_learn(struct decomposition *d, double time_s, double value, double weight,
                         double outlier, struct decomposition_news *news) {
    news->relearn = news->seasonal = false;
    news->count = news->texts = 0;
    time_s = middle_of(d, time_s);
    value = fmin(fmax(value, -LARGEST), LARGEST);
    d->lowest = fmin(d->lowest, value);
    follow_roughness(d, value, outlier);
    bool ok = look_for_seasons(d, time_s, value, outlier, news);
    follow_change(d, time_s, value, outlier, news);
    weight *= change_weight(&d->change, time_s);
    if (d->seasons)
        learn_parts(d, time_s, value - decomposition_mean_at(d, time_s), weight, outlier);
    else
        trend_learn(&d->trend, time_s, value, weight, outlier);
    d->values += outlier;
    look_at_trend(d, news);
    return ok;
}

void decomposition_age(struct decomposition *d, double seconds) {
    trend_age(&d->trend, seconds);
    double rate = d->trend.rate_per_day / SEASON_FADE * seconds / SEASON_DAY_S * d->decay;
    for (size_t i = 0; i < d->seasons; i++)
        component_age(d->season[i], rate);
}

void decomposition_set_decay(struct decomposition *d, double multiplier) {
    d->decay = multiplier;
    trend_set_decay(&d->trend, multiplier);
}

void decomposition_shift_time(struct decomposition *d, double seconds) {
    for (size_t i = 0; i < d->seasons; i++)
        component_shift(d->season[i], seconds);
}

size_t decomposition_components(const struct decomposition *d) {
    return (size_t)d->seasons + d->calendar.parts;
}

size_t decomposition_bytes(const struct decomposition *d) {
    size_t bytes = sizeof *d + calendar_bytes(&d->calendar);
    for (size_t i = 0; i < d->seasons; i++)
        bytes += component_bytes(d->season[i]);
    for (size_t i = 0; i < DECOMPOSITION_WINDOWS; i++)
        bytes += season_window_bytes(&d->window[i]);
    return bytes;
}
