/* model/decomposition_state.h - what a decomposition is made of; for its own files only. */
#ifndef BLIP_MODEL_DECOMPOSITION_STATE_H
#define BLIP_MODEL_DECOMPOSITION_STATE_H

#include "model/calendar.h"
#include "model/change.h"
#include "model/component.h"
#include "model/decomposition.h"
#include "model/season_window.h"
#include "model/trend.h"

#define DECOMPOSITION_WINDOWS 2  // short, long

struct decomposition {
    double span_s;
    double decay;      // multiplier of the rates at which the past fades
    double lowest;     // smallest value so far; infinite before the first
    double noise;      // running mean squared error of the predictions
    double rough;      // running half mean squared difference of successive values
    double last;       // the newest value
    double values;     // learnt
    double changed_s;  // when the last change was accepted; -infinite before
    bool trending;     // the trend counts
    uint8_t seasons;   // components in use
    struct component *season[SEASON_SET];
    struct trend trend;
    struct season_window window[DECOMPOSITION_WINDOWS];
    struct change_watch change;
    struct calendar calendar;
};

/* The sum of the seasons and the calendar at a time, seasons for which skip[i] is set aside
 * (NULL: none). */
double decomposition_seasons_at(const struct decomposition *d, double time_s, const bool *skip);

/* Trend and seasons, not cut off at 0. */
double decomposition_mean_at(const struct decomposition *d, double time_s);

/* The level without seasons: the trend's, or the mean of the values while it does not count. */
double decomposition_level_at(const struct decomposition *d, double time_s);

/* Looks for seasons in a window and takes them up. Returns false when memory ran out. */
bool decomposition_test(struct decomposition *d, const struct season_window *w,
                        struct decomposition_news *news);

/* Fills the news with the window's residuals under the present components.
 *   free  share of the values' freedoms that fitting to them has left, in (0, 1] */
void decomposition_refill(struct decomposition *d, const struct season_window *w, double free,
                          struct decomposition_news *news);

/* Widens the news' residuals around their mean: what a step has averaged scatters less than
 * single values, by as much as the roughness of the series tells, and what a curve was fitted
 * to lies nearer to it than what comes. share  of a step that one bucket is, in (0, 1] free as
 * above Returns their variance. */
double decomposition_widen(const struct decomposition *d, double share, double free,
                           struct decomposition_news *news);

/* Tests a suspected change and takes it up. */
void decomposition_change(struct decomposition *d, double time_s,
                          struct decomposition_news *news);

/* Adds an annotation; one too many is left out. */
void decomposition_tell(struct decomposition_news *news, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
