/* model/ensemble.c - one row in, one verdict out; see ensemble.h.
 * Source of all numbers: ensemble specification. */
#include "model/ensemble.h"
#include <float.h>
#include <math.h>
#include <string.h>

#define LONGEST_GAP 128      // missing rows after which the windows start anew
#define GRADE_FROM 100       // rows in the windows before the first grade
#define CONFIDENCE_ROWS 256  // in which the doubt halves
#define WEIGHTS_EVERY 256    // rows; at 8, 16, 32, 64 and 128 rows too
#define WEIGHTS_FROM 8
#define ERROR_RATE (1.0 / 500)
#define ERROR_CLIP 8.0      // in errors, when they learn
#define ERROR_CLIP_FROM 20  // rows
#define BOUNDS 3.0          // errors around the expected value

// --- values inside and outside ---------------------------------------------------------------

// The scale keeps squares of very small and very large values within a float's range. A power
// of two changes no digit.
static double scale_for(double first) {
    int exponent;
    frexp(first, &exponent);
    bool usual = first == 0 || (exponent > -30 && exponent < 50);
    return usual ? 1 : ldexp(1, exponent < -1000 ? 1000 : -exponent);
}

static double inside(const struct ensemble_feature *f, double value) {
    double x = (value - f->first) * f->scale;
    return fmax(-ENSEMBLE_FARTHEST, fmin(ENSEMBLE_FARTHEST, x));
}

double ensemble_outside(const struct ensemble_feature *f, double x) {
    double value = f->first + x / f->scale;
    // A float's rounding of the first value is what is left of 0.
    if (fabs(value) < (double)FLT_EPSILON * fabs(f->first)) return 0;
    return fmax(-DBL_MAX, fmin(DBL_MAX, value));
}

static void know(struct ensemble_feature *f, double first) {
    f->known = true;
    f->first = first;
    f->scale = scale_for(first);
}

// --- taking a row in -------------------------------------------------------------------------

// What was expected of the row to come, inside: the value that followed the most similar
// window; without one the last value; without any the first, which is 0.
static float expected(const struct ensemble *e, size_t q) {
    return past_now(&e->past[q])[e->lag ? e->lag - 1 : 0];
}

// Weights follow the features' deviations and ranges; the past is re-weighted with them.
static void weigh(struct ensemble *e) {
    uint64_t rows = e->model.rows;
    bool early = rows >= WEIGHTS_FROM && rows < WEIGHTS_EVERY && (rows & (rows - 1)) == 0;
    if (e->model.options.features == 1 || (!early && rows % WEIGHTS_EVERY != 0)) return;
    if (rows == 0) return;
    for (size_t q = 0; q < e->model.options.features; q++) {
        const struct ensemble_feature *f = &e->features[q];
        double weight = range_weight(&f->range, f->first * f->scale);
        e->weights[q] = (float)fmin(weight, (double)WINDOW_FAR);
    }
    windows_sum(&e->windows, e->past, e->weights, (size_t)e->since);
}

// After a long gap all distances are new, and believed as little as at the start.
static void restart_windows(struct ensemble *e) {
    windows_clear(&e->windows);
    for (size_t k = 0; k < WINDOW_COUNT; k++) {
        struct ensemble_usual *u = &e->usual[k];
        if (u->weight > 1) *u = (struct ensemble_usual){u->sum / u->weight, 1};
    }
    e->since = 0;
    e->lag = 0;
}

// Fills x with the row, missing values with expected ones. Returns whether none was missing.
static bool read_row(struct ensemble *e, const double *values, double *x, uint8_t *imputed) {
    bool complete = true;
    for (size_t q = 0; q < e->model.options.features; q++) {
        struct ensemble_feature *f = &e->features[q];
        bool here = !isnan(values[q]);
        if (here && !f->known) know(f, values[q]);
        x[q] = here ? inside(f, values[q]) : (double)expected(e, q);
        if (imputed) imputed[q] = !here;
        complete = complete && here;
    }
    return complete;
}

static void push_row(struct ensemble *e, const double *x) {
    for (size_t q = 0; q < e->model.options.features; q++)
        past_push(&e->past[q], (float)x[q]);
    e->since++;
    windows_push(&e->windows, e->past, e->weights, (size_t)e->since, e->view.nearest);
    e->lag = e->view.nearest[0].lag;
}

// --- expected values -------------------------------------------------------------------------

static void tell_expected(const struct ensemble *e, struct verdict *out) {
    if (!out->expected) return;
    out->has_expected = true;
    for (size_t q = 0; q < e->model.options.features; q++) {
        const struct ensemble_feature *f = &e->features[q];
        double usual = (double)expected(e, q), width = BOUNDS * f->error;
        if (!f->known) continue;
        out->expected[q] = ensemble_outside(f, usual);
        if (out->lower) out->lower[q] = ensemble_outside(f, usual - width);
        if (out->upper) out->upper[q] = ensemble_outside(f, usual + width);
    }
}

static void learn_errors(struct ensemble *e, const double *x) {
    uint64_t rows = e->model.rows;
    double rate = fmax(ERROR_RATE, 1 / ((double)rows + 1));
    for (size_t q = 0; q < e->model.options.features; q++) {
        double *error = &e->features[q].error;
        double size = fabs(x[q] - (double)expected(e, q));
        if (rows > ERROR_CLIP_FROM) size = fmin(size, ERROR_CLIP * *error);
        *error += rate * (size - *error);
    }
}

// --- grade and cause -------------------------------------------------------------------------

static void take_time(struct ensemble *e, int64_t time_ms) {
    if (time_ms == MODEL_NO_TIME) return;
    if (e->timed)
        e->steps_ms[e->step_count++ % ENSEMBLE_STEPS] = (double)time_ms - (double)e->last_ms;
    e->timed = true;
    e->last_ms = time_ms;
}

static double median_step_ms(const struct ensemble *e) {
    double sorted[ENSEMBLE_STEPS];
    size_t count = e->step_count < ENSEMBLE_STEPS ? e->step_count : ENSEMBLE_STEPS;
    for (size_t i = 0; i < count; i++) {
        size_t at = i;
        for (; at > 0 && sorted[at - 1] > e->steps_ms[i]; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = e->steps_ms[i];
    }
    return sorted[count / 2];
}

// Strength that gets a grade of 0.5. Fast streams have more rows a week: a higher threshold
// keeps their alerts per week alike.
static double threshold(const struct ensemble *e) {
    double base = e->model.options.features == 1 ? 2.5 : 1.0;
    base *= e->model.options.sensitivity;
    if (e->step_count < 3) return base;
    double step_s = fmax(1, median_step_ms(e) / 1000);
    return step_s < 300 ? base * pow(300 / step_s, 0.4) : base;
}

static size_t strongest_window(const struct ensemble *e) {
    size_t strongest = 0;
    for (size_t k = 1; k < WINDOW_COUNT; k++)
        if (e->view.relative[k] > e->view.relative[strongest]) strongest = k;
    return strongest;
}

static void tell_contribution(const struct ensemble *e, struct verdict *out) {
    double own[MODEL_MAX_FEATURES], *shares = out->contribution ? out->contribution : own;
    size_t features = e->model.options.features, k = strongest_window(e), most = 0;
    windows_shares(&e->windows, e->past, e->weights, k, e->view.nearest[k].lag, shares);
    for (size_t q = 1; q < features; q++)
        if (shares[q] > shares[most]) most = q;
    bool equal = shares[most] == 0;
    if (out->cause == MODEL_CAUSE_RANGE || equal) most = e->view.leaver;
    if (equal) shares[most] = 1;
    out->cause_feature = (uint32_t)most;
}

// Numbers for the sentence that explains the grade; see model.h.
static void tell_cause(const struct ensemble *e, enum head head, struct verdict *out) {
    const struct ensemble_feature *f = &e->features[0];
    const struct past *past[HEADS] = {[HEAD_VALUE] = &e->past[0],
                                      [HEAD_LEVEL] = &e->level,
                                      [HEAD_SEASON] = &e->season,
                                      [HEAD_POINT] = &e->residual};
    out->cause = (enum model_cause)(head + 1);
    tell_contribution(e, out);
    if (head == HEAD_RANGE) {
        out->cause_amount = exp2(e->view.strength[HEAD_RANGE]) - 1;
    } else if (head == HEAD_SHAPE) {
        size_t k = strongest_window(e);
        out->cause_amount = e->view.relative[k];
        out->cause_rows = (uint32_t)e->windows.length[k];
        out->cause_lag = (uint32_t)e->view.nearest[k].lag;
    } else {
        double amount = (double)past_now(past[head])[0];
        bool absolute = head == HEAD_VALUE || head == HEAD_LEVEL;
        out->cause_amount = absolute ? ensemble_outside(f, amount) : amount / f->scale;
        out->cause_distance = e->view.distance[head] / f->scale;
        out->cause_rows = head == HEAD_LEVEL || head == HEAD_SEASON ? ENSEMBLE_LEVEL_ROWS : 1;
    }
}

static void judge(struct ensemble *e, struct verdict *out) {
    enum head head;
    double strength = ensemble_strongest(e, &head);
    if (e->since <= GRADE_FROM) strength = 0;
    out->score = 0;
    for (size_t k = 0; k < WINDOW_COUNT; k++) {
        out->scored = out->scored || e->view.nearest[k].lag > 0;
        out->score = fmax(out->score, e->view.relative[k]);
    }
    out->grade = hold_grade(&e->hold, strength, threshold(e));
    if (out->grade > 0) tell_cause(e, head, out);
}

static enum status push(struct model *m, int64_t time_ms, const double *values,
                        struct verdict *out, struct error *err) {
    (void)err;
    struct ensemble *e = (struct ensemble *)m;
    double x[MODEL_MAX_FEATURES] = {0};
    struct profile_cell cell = profile_cell_at(time_ms);
    out->confidence = 1 - exp2(-((double)m->rows + 1) / CONFIDENCE_ROWS);

    bool complete = read_row(e, values, x, out->imputed);
    e->view.continues = e->since > 0 && e->missing == 0;
    e->missing = complete ? 0 : e->missing + 1;
    if (e->missing > LONGEST_GAP && e->since > 0) restart_windows(e);
    e->view.leaver = 0;
    if (complete) ensemble_ranges(e, x);
    weigh(e);
    take_time(e, time_ms);
    tell_expected(e, out);
    if (complete) learn_errors(e, x);
    if (complete || e->since > 0) {  // windows begin with a whole row
        push_row(e, x);
        ensemble_heads(e, x, time_ms == MODEL_NO_TIME ? NULL : &cell, complete);
    }
    if (complete)
        judge(e, out);
    else
        hold_skip(&e->hold);
    return STATUS_OK;
}

// --- the class -------------------------------------------------------------------------------

static void defaults(struct model_options *options) {
    options->sensitivity = 1;
    options->history = options->features == 1 ? 4096 : 2048;
}

static enum status check(const struct model_options *o, struct error *err) {
    if (!(o->sensitivity >= 0.01 && o->sensitivity <= 100))
        return fail(err, STATUS_INVALID, "sensitivity must be 0.01 to 100, not %g",
                    o->sensitivity);
    if (o->history < 256 || o->history > 65536)
        return fail(err, STATUS_INVALID, "history must be 256 to 65536 rows, not %zu",
                    o->history);
    return STATUS_OK;
}

const struct model_class ensemble_class = {
    .name = "ensemble",
    .defaults = defaults,
    .check = check,
    .create = ensemble_create,
    .destroy = ensemble_destroy,
    .push = push,
    .save = ensemble_save,
    .load = ensemble_load,
    .size_bytes = ensemble_size_bytes,
};
