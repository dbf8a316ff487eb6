/* model/ensemble_state.c - the ensemble's memory, and its state as bytes; see ensemble.h.
 *
 *     saved:  rows in the windows | features | windows | one feature's heads | grade
 *
 * Of each past the values that exist are saved, newest first; sums are saved, not summed anew,
 * so that a loaded model goes on to the last bit. */
#include "model/ensemble.h"
#include <math.h>
#include <stdlib.h>

#define MOST_ROWS (UINT64_C(1) << 53)  // that a model can have seen

static struct ensemble *of(struct model *m) { return (struct ensemble *)m; }

// --- memory ----------------------------------------------------------------------------------

static enum status open_pasts(struct ensemble *e, size_t features, struct error *err) {
    size_t reach = windows_reach(&e->windows);
    enum status status = STATUS_OK;
    for (size_t q = 0; q < features && status == STATUS_OK; q++)
        status = past_open(&e->past[q], reach, err);
    struct past *derived[] = {&e->level, &e->residual, &e->season};
    for (size_t i = 0; features == 1 && i < 3 && status == STATUS_OK; i++)
        status = past_open(derived[i], e->windows.history + 1, err);
    return status;
}

enum status ensemble_create(const struct model_options *options, struct model **out,
                            struct error *err) {
    static const size_t one[WINDOW_COUNT] = {32, 64, 128},
                        several[WINDOW_COUNT] = {16, 64, 128};
    size_t features = options->features;
    struct ensemble *e = calloc(1, sizeof *e);
    if (!e) return fail(err, STATUS_NO_MEMORY, "no memory for a model");
    e->model.options = *options;
    e->features = calloc(features, sizeof *e->features);
    e->weights = calloc(features, sizeof *e->weights);
    e->past = calloc(features, sizeof *e->past);
    enum status status = STATUS_OK;
    if (!e->features || !e->weights || !e->past)
        status = fail(err, STATUS_NO_MEMORY, "no memory for %zu features", features);
    if (status == STATUS_OK)
        status = windows_open(&e->windows, features, options->history,
                              features == 1 ? one : several, err);
    if (status == STATUS_OK) status = open_pasts(e, features, err);
    if (status != STATUS_OK) {
        ensemble_destroy(&e->model);
        return status;
    }
    if (features == 1) e->weights[0] = 1;  // the others' weights are learnt
    *out = &e->model;
    return STATUS_OK;
}

void ensemble_destroy(struct model *m) {
    struct ensemble *e = of(m);
    for (size_t q = 0; e->past && q < m->options.features; q++)
        past_close(&e->past[q]);
    past_close(&e->level);
    past_close(&e->residual);
    past_close(&e->season);
    windows_close(&e->windows);
    free(e->past);
    free(e->weights);
    free(e->features);
    free(e);
}

size_t ensemble_size_bytes(const struct model *m) {
    const struct ensemble *e = (const struct ensemble *)m;
    size_t features = m->options.features;
    size_t size = sizeof *e + windows_bytes(&e->windows);
    size += features * (sizeof *e->features + sizeof *e->weights + sizeof *e->past);
    for (size_t q = 0; q < features; q++)
        size += past_bytes(&e->past[q]);
    if (features == 1)
        size += past_bytes(&e->level) + past_bytes(&e->residual) + past_bytes(&e->season);
    return size;
}

// --- saving ----------------------------------------------------------------------------------

static size_t saved_rows(const struct past *p, uint64_t since) {
    return since < p->keep ? (size_t)since : p->keep;
}

static size_t saved_lags(const struct ensemble *e) {
    uint64_t lags = e->since > 0 ? e->since - 1 : 0;
    return lags < e->windows.history ? (size_t)lags : e->windows.history;
}

// The newest value is saved even when the windows are empty: it is what is expected next.
static void save_past(struct pack *out, const struct past *p, uint64_t since) {
    size_t rows = saved_rows(p, since);
    pack_bytes(out, past_now(p), (rows ? rows : 1) * sizeof(float));
}

static void save_feature(struct pack *out, const struct ensemble_feature *f, float weight) {
    pack_u8(out, f->known);
    pack_f64(out, f->first);
    pack_f64(out, f->scale);
    pack_f64(out, f->error);
    pack_u64(out, f->range.count);
    pack_f64(out, f->range.sum);
    pack_f64(out, f->range.squares);
    pack_f64(out, f->range.low);
    pack_f64(out, f->range.high);
    pack_bytes(out, &weight, sizeof weight);
}

static void save_windows(struct pack *out, const struct ensemble *e) {
    pack_u64(out, e->windows.turn);
    for (size_t k = 0; k < WINDOW_COUNT; k++) {
        pack_f64(out, e->usual[k].sum);
        pack_f64(out, e->usual[k].weight);
        pack_bytes(out, &e->windows.squares[k][1], saved_lags(e) * sizeof(double));
    }
}

static void save_heads(struct pack *out, const struct ensemble *e) {
    save_past(out, &e->level, e->since);
    save_past(out, &e->residual, e->since);
    save_past(out, &e->season, e->since);
    for (size_t i = 0; i < HEADS; i++) {
        pack_f64(out, e->novelty[i].sum);
        pack_f64(out, e->novelty[i].squares);
        pack_f64(out, e->novelty[i].weight);
    }
    pack_bytes(out, e->profile.usual, sizeof e->profile.usual);
    pack_bytes(out, e->profile.visits, sizeof e->profile.visits);
    pack_f64(out, e->profile.spread);
    pack_f64(out, e->step.centre);
    pack_f64(out, e->step.deviation);
    pack_f64(out, e->step.quantum);
}

static void save_grade(struct pack *out, const struct ensemble *e) {
    pack_u8(out, e->timed);
    pack_u64(out, (uint64_t)e->last_ms);
    pack_u32(out, e->step_count);
    pack_bytes(out, e->steps_ms, sizeof e->steps_ms);
    pack_f64(out, e->hold.bar);
    pack_f64(out, e->hold.reference);
    pack_u32(out, e->hold.rows);
}

void ensemble_save(const struct model *m, struct pack *out) {
    const struct ensemble *e = (const struct ensemble *)m;
    pack_u64(out, e->since);
    pack_u32(out, e->missing);
    pack_u64(out, e->lag);
    for (size_t q = 0; q < m->options.features; q++) {
        save_feature(out, &e->features[q], e->weights[q]);
        save_past(out, &e->past[q], e->since);
    }
    save_windows(out, e);
    if (m->options.features == 1) save_heads(out, e);
    save_grade(out, e);
}

// --- loading: every number is read, then looked at -------------------------------------------

static bool within(double x, double low, double high) { return x >= low && x <= high; }

// A sum of values or squares: what a push adds lies below its last digit here, so it stays.
static bool sane(double x) { return within(x, -1e60, 1e60); }

static bool all_within(const double *values, size_t count, double low, double high) {
    bool good = true;
    for (size_t i = 0; i < count; i++)
        good = good && within(values[i], low, high);
    return good;
}

static bool load_past(struct unpack *in, struct past *p, uint64_t since) {
    size_t rows = saved_rows(p, since);
    rows = rows ? rows : 1;
    float *values = &p->values[p->newest];
    unpack_bytes(in, values, rows * sizeof(float));
    bool good = true;
    for (size_t i = 0; i < rows; i++)
        good = good && within((double)values[i], -2 * ENSEMBLE_FARTHEST, 2 * ENSEMBLE_FARTHEST);
    return good;
}

static bool load_feature(struct unpack *in, struct ensemble_feature *f, float *weight) {
    f->known = unpack_u8(in) != 0;
    f->first = unpack_f64(in);
    f->scale = unpack_f64(in);
    f->error = unpack_f64(in);
    f->range.count = unpack_u64(in);
    f->range.sum = unpack_f64(in);
    f->range.squares = unpack_f64(in);
    f->range.low = unpack_f64(in);
    f->range.high = unpack_f64(in);
    unpack_bytes(in, weight, sizeof *weight);
    return isfinite(f->first) && within(f->scale, 0, 0x1p1023) && (!f->known || f->scale > 0) &&
           within(f->error, 0, 1e20) && sane(f->range.sum) &&
           within(f->range.squares, 0, 1e60) && sane(f->range.low) && sane(f->range.high) &&
           f->range.low <= f->range.high && within((double)*weight, 0, (double)WINDOW_FAR);
}

static bool load_windows(struct unpack *in, struct ensemble *e) {
    size_t lags = saved_lags(e);
    e->windows.turn = (size_t)unpack_u64(in);
    bool good = true;
    for (size_t k = 0; k < WINDOW_COUNT; k++) {
        e->usual[k].sum = unpack_f64(in);
        e->usual[k].weight = unpack_f64(in);
        unpack_bytes(in, &e->windows.squares[k][1], lags * sizeof(double));
        good = good && within(e->usual[k].sum, 0, 1e60) &&
               within(e->usual[k].weight, 0, 1e60) &&
               all_within(&e->windows.squares[k][1], lags, 0, 1e60);
    }
    return good;
}

static bool load_heads(struct unpack *in, struct ensemble *e) {
    bool good = load_past(in, &e->level, e->since) && load_past(in, &e->residual, e->since) &&
                load_past(in, &e->season, e->since);
    for (size_t i = 0; i < HEADS; i++) {
        struct novelty *n = &e->novelty[i];
        n->sum = unpack_f64(in);
        n->squares = unpack_f64(in);
        n->weight = unpack_f64(in);
        good = good && all_within((double[]){n->sum, n->squares, n->weight}, 3, 0, 1e60);
    }
    struct profile *p = &e->profile;
    unpack_bytes(in, p->usual, sizeof p->usual);
    unpack_bytes(in, p->visits, sizeof p->visits);
    p->spread = unpack_f64(in);
    e->step.centre = unpack_f64(in);
    e->step.deviation = unpack_f64(in);
    e->step.quantum = unpack_f64(in);
    return good && all_within(p->usual[0], PROFILE_KINDS * PROFILE_CELLS, -1e60, 1e60) &&
           all_within(p->visits[0], PROFILE_KINDS * PROFILE_CELLS, 0, 1e60) &&
           within(p->spread, 0, 1e60) && sane(e->step.centre) &&
           within(e->step.deviation, 0, 1e60) && within(e->step.quantum, 0, 1e60);
}

static bool load_grade(struct unpack *in, struct ensemble *e) {
    e->timed = unpack_u8(in) != 0;
    e->last_ms = (int64_t)unpack_u64(in);
    e->step_count = unpack_u32(in);
    unpack_bytes(in, e->steps_ms, sizeof e->steps_ms);
    e->hold.bar = unpack_f64(in);
    e->hold.reference = unpack_f64(in);
    e->hold.rows = unpack_u32(in);
    return all_within(e->steps_ms, ENSEMBLE_STEPS, -1e20, 1e20) &&
           within(e->hold.bar, 0, 1e60) && within(e->hold.reference, 0, 1e60) &&
           e->hold.rows <= HOLD_ROWS;
}

enum status ensemble_load(struct model *m, struct unpack *in, struct error *err) {
    struct ensemble *e = of(m);
    e->since = unpack_u64(in);
    e->missing = unpack_u32(in);
    e->lag = (size_t)unpack_u64(in);
    if (e->since > m->rows || e->since > MOST_ROWS || e->lag > saved_lags(e))
        return fail(err, STATUS_INVALID, "the saved ensemble has %llu rows and lag %zu",
                    (unsigned long long)e->since, e->lag);
    bool good = true;
    for (size_t q = 0; q < m->options.features; q++) {
        good = load_feature(in, &e->features[q], &e->weights[q]) && good;
        good = load_past(in, &e->past[q], e->since) && good;
    }
    good = load_windows(in, e) && good;
    if (m->options.features == 1) good = load_heads(in, e) && good;
    good = load_grade(in, e) && good;
    if (m->options.features == 1) good = good && e->weights[0] == 1;
    return good ? STATUS_OK
                : fail(err, STATUS_INVALID, "the saved ensemble has a number out of range");
}
