/* model/ensemble_heads.c - how strange the newest row is to each head; see ensemble.h.
 * Source of all numbers: ensemble specification, sections 4 and 5. */
#include "model/ensemble.h"
#include <math.h>

#define USUAL_FADE 0.9998267282181494  // halves in 4000 rows
#define MOST_RELATIVE 1e6              // of a distance where there was none before
#define USUAL_START 100.0              // rows until a relative distance is half believed

#define LEVEL_FADE 0.9998267282181494  // halves in 4000 rows
#define SLOW_FADE 0.9999999993068528   // halves in 10^9 rows: practically never
#define FLOOR 0.1                      // of a strength's denominator, in standard deviations

static size_t lags(const struct ensemble *e) {
    size_t before = (size_t)e->since - 1;
    return before < e->windows.history ? before : e->windows.history;
}

// Distance of a window over its usual one; the factor at the end keeps the first rows, where
// everything is new, from outranking real anomalies.
static double relative(struct ensemble_usual *u, const struct nearest *n, bool learn) {
    if (n->lag == 0) return 0;
    double usual = u->weight > 0 ? u->sum / u->weight : 0;
    double result =
        usual > 0 ? n->distance / usual * (u->weight / (u->weight + USUAL_START)) : 0;
    result = fmin(result, MOST_RELATIVE);
    if (learn && n->distance > 0) {
        u->sum = USUAL_FADE * u->sum + n->distance;
        u->weight = USUAL_FADE * u->weight + 1;
    }
    return result;
}

static void look_at_shape(struct ensemble *e, bool learn) {
    double *shape = &e->view.strength[HEAD_SHAPE];
    *shape = 0;
    for (size_t k = 0; k < WINDOW_COUNT; k++) {
        e->view.relative[k] = relative(&e->usual[k], &e->view.nearest[k], learn);
        *shape = fmax(*shape, e->view.relative[k] - 1);
    }
}

// One head of novelty: its strength, and what it learns.
static double look_at(struct ensemble *e, enum head head, double distance, double floor,
                      bool learn) {
    struct novelty *n = &e->novelty[head];
    double strength = novelty_strength(n, distance, floor);
    if (learn) novelty_learn(n, distance, head == HEAD_LEVEL ? LEVEL_FADE : SLOW_FADE);
    return strength;
}

static void look_at_value(struct ensemble *e, double x, double sigma, bool learn) {
    struct ensemble_view *v = &e->view;
    v->distance[HEAD_VALUE] = novelty_of(&e->past[0], lags(e));
    double distance = step_less_quantum(&e->step, v->distance[HEAD_VALUE], sigma);
    double strength = look_at(e, HEAD_VALUE, distance, FLOOR * sigma, learn);
    double limit = step_value_limit(&e->step, x, distance);
    v->strength[HEAD_VALUE] = fmin(strength, limit);
    if (learn) step_learn(&e->step, x, e->model.rows);
}

static void look_at_level(struct ensemble *e, size_t rows, double sigma, bool learn) {
    struct ensemble_view *v = &e->view;
    past_push(&e->level, (float)past_mean(&e->past[0], rows));
    v->distance[HEAD_LEVEL] = novelty_of(&e->level, lags(e));
    v->strength[HEAD_LEVEL] =
        look_at(e, HEAD_LEVEL, v->distance[HEAD_LEVEL], FLOOR * sigma, learn);
}

static void look_at_time_of_day(struct ensemble *e, double x, size_t rows,
                                const struct profile_cell *cell, double sigma, bool learn) {
    struct ensemble_view *v = &e->view;
    double residual = cell ? profile_residual(&e->profile, *cell, x) : 0;
    past_push(&e->residual, (float)residual);
    past_push(&e->season, (float)past_mean(&e->residual, rows));

    v->distance[HEAD_POINT] = novelty_of(&e->residual, lags(e));
    double distance = step_less_quantum(&e->step, v->distance[HEAD_POINT], sigma);
    double strength = look_at(e, HEAD_POINT, distance, FLOOR * sigma, learn);
    v->strength[HEAD_POINT] = fmin(strength, step_residual_limit(&e->step, residual, distance));

    v->distance[HEAD_SEASON] = novelty_of(&e->season, lags(e));
    v->strength[HEAD_SEASON] =
        look_at(e, HEAD_SEASON, v->distance[HEAD_SEASON], FLOOR * sigma, learn);
    if (cell && learn) profile_learn(&e->profile, *cell, x, e->model.rows);
}

static void one_feature(struct ensemble *e, double x, const struct profile_cell *cell,
                        bool learn) {
    const float *now = past_now(&e->past[0]);
    double sigma = range_deviation(&e->features[0].range);
    size_t rows = e->since < ENSEMBLE_LEVEL_ROWS ? (size_t)e->since : ENSEMBLE_LEVEL_ROWS;

    look_at_value(e, x, sigma, learn);
    look_at_level(e, rows, sigma, learn);
    look_at_time_of_day(e, x, rows, cell, sigma, learn);
    if (learn && e->view.continues) step_learn_quantum(&e->step, (double)(now[0] - now[1]));
}

void ensemble_ranges(struct ensemble *e, const double *x) {
    double *strength = &e->view.strength[HEAD_RANGE];
    *strength = 0;
    for (size_t q = 0; q < e->model.options.features; q++) {
        struct range *range = &e->features[q].range;
        double excess = range_excess(range, x[q]);
        range_learn(range, x[q]);
        if (excess <= *strength) continue;
        *strength = excess;
        e->view.leaver = q;
    }
}

void ensemble_heads(struct ensemble *e, const double *x, const struct profile_cell *cell,
                    bool learn) {
    look_at_shape(e, learn);
    if (e->model.options.features == 1) one_feature(e, x[0], cell, learn);
}

double ensemble_strongest(const struct ensemble *e, enum head *head) {
    static const double one[HEADS] = {[HEAD_VALUE] = 1,
                                      [HEAD_LEVEL] = 1.5,
                                      [HEAD_SEASON] = 1.5,
                                      [HEAD_POINT] = 0.7,
                                      [HEAD_SHAPE] = 0.15};
    static const double several[HEADS] = {[HEAD_SHAPE] = 1, [HEAD_RANGE] = 0.5};
    const double *weights = e->model.options.features == 1 ? one : several;
    double strongest = 0;
    *head = HEAD_VALUE;
    for (enum head i = 0; i < HEADS; i++) {
        double strength = weights[i] * e->view.strength[i];
        if (strength > strongest) {
            strongest = strength;
            *head = i;
        }
    }
    return strongest;
}
