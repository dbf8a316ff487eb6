/* model/ensemble.h - Blip's own default model: novelty as the distance to the nearest neighbour
 * in a bounded past.
 *
 *     row ─▶ past ─┬─▶ windows of 32, 64, 128 rows ─▶ distance ÷ usual distance ─▶ score
 *                  │                                    └─▶ shape ─┐
 *                  ├─▶ value            ─▶ novelty ─▶ strength ────┤
 *                  ├─▶ mean of 32 rows  ─▶ novelty ─▶ level ───────┼─▶ hold ─▶ grade
 *                  └─▶ residual against the time of day            │
 *                        ├─▶ novelty ─▶ point ─────────────────────┤
 *                        └─▶ mean of 32 ─▶ novelty ─▶ season ──────┘
 *
 * That is one feature; several go through windows of 16, 64 and 128 rows together, and the only
 * other head is range: how far a feature leaves the extremes it has had.
 * The score is high through the whole anomaly, the grade marks its first row.
 * This header is for ensemble*.c and their tests; everybody else sees model.h. */
#ifndef BLIP_MODEL_ENSEMBLE_H
#define BLIP_MODEL_ENSEMBLE_H

#include "model/hold.h"
#include "model/model_class.h"
#include "model/novelty.h"
#include "model/profile.h"
#include "model/range.h"
#include "model/step.h"
#include "model/window.h"

#define ENSEMBLE_LEVEL_ROWS 32  // rows of the level and season means
#define ENSEMBLE_STEPS 15       // differences of time that the interval is taken from
#define ENSEMBLE_FARTHEST 1e18  // values further from the first one count as this far

/* The heads, in the order of enum model_cause. */
enum head { HEAD_VALUE, HEAD_LEVEL, HEAD_SEASON, HEAD_POINT, HEAD_SHAPE, HEAD_RANGE, HEADS };

/* One feature's own state. Inside, a value is (value - first) * scale; the
 * past holds it rounded to float. */
struct ensemble_feature {
    bool known;    // first is set
    double first;  // the first value there was
    double scale;  // a power of two; 1 but for very small or very large values
    double error;  // running mean of |value - expected|, inside
    struct range range;
};

/* The distances of one window so far, as fading sums. */
struct ensemble_usual {
    double sum, weight;
};

/* What the heads made of the last row; not part of the state. */
struct ensemble_view {
    double strength[HEADS];         // before the weights
    double relative[WINDOW_COUNT];  // distance over the usual one, shrunk at the start
    struct nearest nearest[WINDOW_COUNT];
    double distance[HEADS];  // novelty of value, level, season and point; inside
    size_t leaver;           // feature that HEAD_RANGE speaks of
    bool continues;          // the row before was there and whole
};

struct ensemble {
    struct model model;
    uint64_t since;    // rows in the windows: all since the start or the last long gap
    uint32_t missing;  // rows with missing values that came just before
    size_t lag;        // of the most similar window of the row before; 0 = none
    struct ensemble_feature *features;
    float *weights;     // [features]
    struct past *past;  // [features]
    struct windows windows;
    struct ensemble_usual usual[WINDOW_COUNT];

    // one feature
    struct past level, residual, season;
    struct novelty novelty[HEADS];
    struct profile profile;
    struct step step;

    // from strength to grade
    int64_t last_ms;  // time of the row before
    double steps_ms[ENSEMBLE_STEPS];
    uint32_t step_count;  // times that were seen, less one; the ring position
    bool timed;           // last_ms is set
    struct hold hold;

    struct ensemble_view view;
};

/* ensemble_state.c */
enum status ensemble_create(const struct model_options *options, struct model **out,
                            struct error *err);
void ensemble_destroy(struct model *m);
void ensemble_save(const struct model *m, struct pack *out);
enum status ensemble_load(struct model *m, struct unpack *in, struct error *err);
size_t ensemble_size_bytes(const struct model *m);

/* ensemble_heads.c: looks at a whole row's features against their ranges, which learn it. What
 * follows counts on ranges that hold the newest row.
 *   x      [features] the row inside, before it was rounded */
void ensemble_ranges(struct ensemble *e, const double *x);

/* Fills the rest of e->view from the newest row, which the windows hold already, and learns
 * from it.
 *   x      [features] the row inside, before it was rounded
 *   cell   of the profile; NULL when the row has no time
 *   learn  false for a row with missing values: everything moves on, nothing is learnt */
void ensemble_heads(struct ensemble *e, const double *x, const struct profile_cell *cell,
                    bool learn);

/* Weighted strength of the strongest head; *head says which. */
double ensemble_strongest(const struct ensemble *e, enum head *head);

/* A value of a feature as it came, from one inside. */
double ensemble_outside(const struct ensemble_feature *f, double inside);

#endif
