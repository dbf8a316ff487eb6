/* model/decomposition_change.c - takes up a change of level, of scale or of the clock. */
#include "model/decomposition_state.h"

#include <math.h>

// The past with what was expected of it, under every shift of the clock.
static void read_past(const struct decomposition *d, struct change_past *past) {
    change_read(&d->change, past);
    for (size_t i = 0; i < past->count; i++)
        past->level[i] = decomposition_level_at(d, past->time_s[i]);
    for (size_t k = 0; k < CHANGE_OFFSETS; k++)
        for (size_t i = 0; i < past->count; i++)
            past->season[k][i] =
                decomposition_seasons_at(d, past->time_s[i] - change_offset(k), NULL);
}

// Without trend and seasons the residuals are the values: only those after the change count.
static void refill_values(struct decomposition *d, const struct change_past *past, size_t since,
                          struct decomposition_news *news) {
    trend_clear(&d->trend);
    for (size_t i = since; i < past->count; i++) {
        trend_learn(&d->trend, past->time_s[i], past->value[i], 1, 1);
        news->residuals[news->count++] =
            (struct decomposition_residual){past->time_s[i], past->value[i], 1};
    }
}

// The windows that are tested for seasons see the past as it would have been.
static void mend_windows(struct decomposition *d, const struct change *found, double since_s) {
    for (size_t i = 0; i < DECOMPOSITION_WINDOWS; i++)
        if (found->kind == CHANGE_LEVEL)
            season_window_lift(&d->window[i], since_s, found->amount);
        else if (found->kind == CHANGE_TIME)
            season_window_clear(&d->window[i]);
}

static void apply(struct decomposition *d, const struct change *found,
                  struct decomposition_news *news) {
    switch (found->kind) {
    case CHANGE_LEVEL:
        trend_lift(&d->trend, found->amount);
        decomposition_tell(news, "Detected level shift by %.4g", found->amount);
        break;
    case CHANGE_SCALE:
        for (size_t i = 0; i < d->seasons; i++)
            component_scale(d->season[i], found->amount);
        decomposition_tell(news, "Detected linear scale by %.3g", found->amount);
        break;
    case CHANGE_TIME:
        decomposition_shift_time(d, found->amount);
        decomposition_tell(news, "Detected time shift by %.0f seconds", found->amount);
        break;
    case CHANGE_NONE:
        break;
    }
}

void decomposition_change(struct decomposition *d, double time_s,
                          struct decomposition_news *news) {
    if (!change_due(&d->change, time_s, d->seasons > 0)) return;
    struct change_past past;
    read_past(d, &past);
    struct change found =
        change_test(&past, d->seasons > 0, sqrt(d->noise), change_least_s(&d->change));
    if (found.kind == CHANGE_NONE) return;
    bool alone = !d->trending && d->seasons == 0;
    news->count = 0;
    for (size_t i = 0; !alone && i < found.since; i++) {
        double left = past.value[i] - decomposition_mean_at(d, past.time_s[i]);
        news->residuals[news->count++] =
            (struct decomposition_residual){past.time_s[i], left, 1};
    }
    apply(d, &found, news);
    mend_windows(d, &found, past.time_s[found.since] - past.step_s / 2);
    if (alone) refill_values(d, &past, found.since, news);
    for (size_t i = found.since; !alone && i < past.count; i++) {
        double left = past.value[i] - decomposition_mean_at(d, past.time_s[i]);
        news->residuals[news->count++] =
            (struct decomposition_residual){past.time_s[i], left, 1};
    }
    d->noise = decomposition_widen(d, d->span_s / past.step_s, 1, news);
    news->relearn = true;
    d->changed_s = time_s;
    change_settle(&d->change, time_s);
}
