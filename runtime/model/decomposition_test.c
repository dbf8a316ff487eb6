/* model/decomposition_test.c - takes up the seasons that a window shows. */
#include "model/decomposition_state.h"

#include <math.h>
#include <string.h>

// A holiday in a window of two repeats says nothing against a season: so many are asked for.
#define JUDGED 3.0
// A window of long steps sees too little of a short period to draw it anew.
#define JUDGED_STEPS 12.0
#define LEAST_FREE 0.25  // share of freedoms that a fit leaves, at least

// The window as the test wants it: seasons that it cannot judge are taken out of the values.
struct trial {
    struct season_series x;
    struct season_set known, chosen;
    bool judged[SEASON_SET];  // by component
    struct season_fit fit;
};

static void prepare(const struct decomposition *d, const struct season_window *w,
                    struct trial *t) {
    season_window_read(w, &t->x);
    t->known.count = 0;
    for (size_t i = 0; i < d->seasons; i++) {
        const struct season *s = component_season(d->season[i]);
        double repeats = (double)t->x.count * t->x.step_s / s->repeat_s;
        t->judged[i] = repeats >= JUDGED && s->period_s >= JUDGED_STEPS * t->x.step_s &&
                       s->period_s > season_window_shortest(w);
        if (t->judged[i]) t->known.season[t->known.count++] = *s;
    }
    for (size_t i = 0; i < t->x.count; i++)
        t->x.value[i] -= decomposition_seasons_at(d, season_time(&t->x, i), t->judged);
}

static bool chosen(const struct season_set *set, const struct season *s) {
    for (size_t i = 0; i < set->count; i++)
        if (season_same(&set->season[i], s)) return true;
    return false;
}

static bool same(const struct season_set *a, const struct season_set *b) {
    if (a->count != b->count) return false;
    for (size_t i = 0; i < a->count; i++)
        if (!chosen(b, &a->season[i])) return false;
    return true;
}

// What a season that goes has explained is for the others to explain: then all that were judged
// are drawn anew.
static void drop_unchosen(struct decomposition *d, const struct trial *t) {
    size_t kept = 0;
    bool anew = false;
    for (size_t i = 0; i < d->seasons; i++)
        anew |= t->judged[i] && !chosen(&t->chosen, component_season(d->season[i]));
    for (size_t i = 0; i < d->seasons; i++) {
        if (t->judged[i] && anew)
            component_free(d->season[i]);
        else
            d->season[kept++] = d->season[i];
    }
    d->seasons = (uint8_t)kept;
}

static bool at_work(const struct decomposition *d, const struct season *s) {
    for (size_t i = 0; i < d->seasons; i++)
        if (season_same(component_season(d->season[i]), s)) return true;
    return false;
}

// What the values leave for one more season, each worth the values that its step joins.
static size_t points_left(const struct decomposition *d, const struct season_window *w,
                          const struct trial *t, struct component_point *points) {
    struct season_series x;
    season_window_read(w, &x);
    size_t count = 0;
    for (size_t i = 0; i < x.count; i++) {
        if (x.weight[i] <= 0) continue;
        double at = season_time(&x, i);
        double left = x.value[i] - t->fit.trend[i] - decomposition_seasons_at(d, at, NULL);
        points[count++] =
            (struct component_point){at, left, x.weight[i] * x.step_s / w->span_s};
    }
    return count;
}

static bool add_chosen(struct decomposition *d, const struct season_window *w,
                       const struct trial *t, struct decomposition_news *news) {
    bool ok = true;
    struct component_point points[SEASON_VALUES];
    for (size_t k = 0; k < t->chosen.count && d->seasons < SEASON_SET; k++) {
        const struct season *s = &t->chosen.season[k];
        if (at_work(d, s)) continue;
        size_t count = points_left(d, w, t, points);
        struct component *c = count ? component_new(s, t->x.step_s, points, count) : NULL;
        if (!c) {
            ok = false;
            continue;
        }
        d->season[d->seasons++] = c;
        if (chosen(&t->known, s)) continue;
        char name[SEASON_NAME_SIZE];
        decomposition_tell(news, "Detected seasonal component with period %s",
                           season_name(s, name));
    }
    return ok;
}

// The trend anew, from the window without its seasons.
static void refit_trend(struct decomposition *d, const struct season_window *w) {
    struct season_series x;
    season_window_read(w, &x);
    trend_clear(&d->trend);
    for (size_t i = 0; i < d->seasons; i++)
        (void)component_refresh(d->season[i], season_time(&x, x.count - 1), true);
    for (size_t i = 0; i < x.count; i++) {
        if (x.weight[i] <= 0) continue;
        double at = season_time(&x, i);
        double level = x.value[i] - decomposition_seasons_at(d, at, NULL);
        trend_learn(&d->trend, at, level, x.step_s / w->span_s, x.weight[i]);
        trend_age(&d->trend, x.step_s);
    }
}

bool decomposition_test(struct decomposition *d, const struct season_window *w,
                        struct decomposition_news *news) {
    struct trial t;
    prepare(d, w, &t);
    season_choose(&t.x, &t.known, season_window_shortest(w), &t.chosen);
    if (same(&t.known, &t.chosen)) return true;
    struct season_fit pieces;
    season_fit(&t.x, &t.chosen, SEASON_PARABOLA, SEASON_FINE, &t.fit);
    season_fit(&t.x, &t.chosen, SEASON_PIECES, SEASON_FINE, &pieces);
    if (season_bic_gain(&t.fit, &pieces, SEASON_STRICT) > 0) t.fit = pieces;

    drop_unchosen(d, &t);
    bool ok = add_chosen(d, w, &t, news);
    if (d->seasons == 0) decomposition_tell(news, "Removed all seasonality");
    refit_trend(d, w);
    d->trending |= d->seasons > 0;
    news->seasonal = true;
    double free = fmax(1 - t.fit.parameters / t.fit.values, LEAST_FREE);
    decomposition_refill(d, w, free, news);
    return ok;
}

double decomposition_widen(const struct decomposition *d, double share, double free,
                           struct decomposition_news *news) {
    double sum = 0, squares = 0, weights = 0;
    for (size_t i = 0; i < news->count; i++) {
        const struct decomposition_residual *r = &news->residuals[i];
        sum += r->weight * r->value;
        squares += r->weight * r->value * r->value;
        weights += r->weight;
    }
    double mean = weights > 0 ? sum / weights : 0;
    double variance = weights > 0 ? squares / weights - mean * mean : 0;
    if (!(variance > 0)) return 0;
    double wider = sqrt((variance / free + d->rough * (1 - share)) / variance);
    for (size_t i = 0; i < news->count; i++)
        news->residuals[i].value = mean + wider * (news->residuals[i].value - mean);
    return wider * wider * variance;
}

void decomposition_refill(struct decomposition *d, const struct season_window *w, double free,
                          struct decomposition_news *news) {
    struct season_series x;
    season_window_read(w, &x);
    news->relearn = true;
    news->count = 0;
    for (size_t i = 0; i < x.count; i++) {
        if (x.weight[i] <= 0) continue;
        double at = season_time(&x, i), left = x.value[i] - decomposition_mean_at(d, at);
        news->residuals[news->count++] = (struct decomposition_residual){at, left, x.weight[i]};
    }
    d->noise = decomposition_widen(d, w->span_s / w->step_s, free, news);
}
