/* model/model.h - the interface of every streaming model: one row in, one verdict out.
 *
 *     model_new(options) -> push, push, push ... -> save -> bytes -> load -> push ...
 *
 * A model is deterministic: same options, same rows, same verdicts, bit for bit, whatever the
 * batching, the restarts or the number of threads. It holds no lock and calls nobody. */
#ifndef BLIP_MODEL_MODEL_H
#define BLIP_MODEL_MODEL_H

#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MODEL_MAX_FEATURES 64
// A row without a time: what depends on the time of day is left out.
#define MODEL_NO_TIME INT64_MIN

/* Why a row got its grade, from the model that can tell: what was strange about it. The numbers
 * beside it make the sentence.
 *            amount                          distance                 rows      lag
 *   VALUE    the value                       to the nearest earlier   1
 *   LEVEL    mean of the last rows           to the nearest earlier   of it
 *   SEASON   mean deviation from what is     to the nearest earlier   of it
 *            usual at this time of day
 *   POINT    that deviation of one row       to the nearest earlier   1
 *   SHAPE    times the usual distance                                 of it     rows ago: the
 *                                                                               most similar
 *   RANGE    widths outside the range        */
enum model_cause {
    MODEL_CAUSE_NONE,
    MODEL_CAUSE_VALUE,
    MODEL_CAUSE_LEVEL,
    MODEL_CAUSE_SEASON,
    MODEL_CAUSE_POINT,
    MODEL_CAUSE_SHAPE,
    MODEL_CAUSE_RANGE,
};

/* What a model said of one row. Pointers lead into the caller's buffers of [features] doubles
 * each (model_set and the bindings own them); a field a model does not know is NaN. */
struct verdict {
    bool scored;             // false: still warming up, or the row had missing values
    double score;            // how strange, in the model's own unit; for ranking and charts
    double grade;            // 0..1; 0 = normal. The event
    double confidence;       // 0..1; how mature the model is
    double threshold;        // score above which grade > 0; NaN when unknown
    double probability;      // of a row at least as strange; NaN when unknown
    int32_t relative_index;  // <= 0: the row to blame, -2 = two rows ago
    enum model_cause cause;
    uint32_t cause_feature;          // the feature it is about
    uint32_t cause_rows, cause_lag;  // 0 = none
    double cause_amount, cause_distance;
    bool has_expected;      // expected[] is filled
    bool has_past;          // past[] is filled (relative_index < 0)
    double *expected;       // [features] what would have been normal
    double *lower, *upper;  // [features] bounds around expected; NaN when unknown
    double *contribution;   // [features] share of each feature, sums to 1 when grade > 0
    double *past;           // [features] actual values of the row to blame
    uint8_t *imputed;       // [features] 1 = the value was missing and filled in
    double *used;           // [features] the row as the model took it; NaN = not filled in
};

enum model_kind { MODEL_FOREST, MODEL_ENSEMBLE };

/* What stands in for a missing value. NONE: a row with a missing value is not scored. */
enum impute_method { IMPUTE_NONE, IMPUTE_ZERO, IMPUTE_FIXED, IMPUTE_PREVIOUS, IMPUTE_FOREST };

/* How a value becomes a coordinate of the forest (rcf.md 3.4). */
enum transform_method {
    TRANSFORM_NONE,
    TRANSFORM_SUBTRACT_MEAN,
    TRANSFORM_NORMALIZE,
    TRANSFORM_DIFFERENCE,
    TRANSFORM_NORMALIZE_DIFFERENCE,
};

/* Where values near the expected one are not called strange, per feature (rcf.md 8.3). */
struct ignore_near {
    double above, below;              // margins in the feature's unit
    double above_ratio, below_ratio;  // shares of the actual value
};

struct model_options {
    enum model_kind kind;
    size_t features;      // 1..MODEL_MAX_FEATURES
    int64_t interval_ms;  // between rows; 0 = unknown
    uint64_t seed;
    // forest; the defaults are those of OpenSearch (rcf.md 3.1), but for the rule of 8.3:
    // ignore[] is zero here, a detector without rules of its own sets both ratios to 0.2
    size_t shingle;         // rows joined; default 8
    size_t trees;           // default 50
    size_t samples;         // per tree; default 256
    double time_decay;      // default 1/2560; of the transform's moments too
    size_t output_after;    // rows before the first score; default max(shingle, 32)
    double initial_accept;  // share of a tree that fills at once; default 0.125
    double z_factor;        // deviations above the mean score; default 3
    double anomaly_rate;    // discount of the short-term score deviation; default 0.005
    bool auto_adjust;       // adjust the threshold, forget what the past explains; true
    bool alert_once;        // grade a run of anomalies at its start only; true
    enum transform_method transform;   // default TRANSFORM_NORMALIZE
    enum impute_method impute;         // default IMPUTE_PREVIOUS
    double fixed[MODEL_MAX_FEATURES];  // IMPUTE_FIXED
    struct ignore_near ignore[MODEL_MAX_FEATURES];
    // ensemble
    double sensitivity;  // threshold factor; 1 = as specified
    size_t history;      // rows of past; default 4096 for one column, 2048 for several
};

struct model;

/* Fills options with the defaults of a kind. */
void model_options_default(struct model_options *options, enum model_kind kind,
                           size_t features);

/* Creates a model. STATUS_INVALID names the option and the value it had. */
enum status model_new(const struct model_options *options, struct model **out,
                      struct error *err);
void model_free(struct model *m);  // NULL is fine

/* Scores one row, then learns from it.
 *   time_ms  of the row; rows count in the order of arrival
 *   values   [features], each in its own unit; NaN = missing; infinite = STATUS_INVALID,
 *            naming the feature, and the model is unchanged
 *   out      filled; its pointers must lead to [features] values or be NULL */
enum status model_push(struct model *m, int64_t time_ms, const double *values,
                       struct verdict *out, struct error *err);

/* Bytes of the state: save(load(b)) == b, and a loaded model goes on as the saved one would.
 * *size is set to what is needed; STATUS_TOO_LARGE when capacity is smaller (bytes may be
 * NULL). Loading checks everything: damaged or foreign bytes give STATUS_INVALID, never a
 * crash. */
enum status model_save(const struct model *m, uint8_t *bytes, size_t capacity, size_t *size,
                       struct error *err);
enum status model_load(const uint8_t *bytes, size_t size, struct model **out,
                       struct error *err);

size_t model_size_bytes(const struct model *m);  // resident memory
uint64_t model_rows(const struct model *m);      // rows pushed so far
const struct model_options *model_options(const struct model *m);

#endif
