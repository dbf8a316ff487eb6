/* model/corrector_trial.c - see corrector_trial.h. */
#include "model/corrector_trial.h"

#include "model/attribution.h"
#include "model/conditional.h"
#include "model/transform.h"
#include <stdlib.h>

static const double precision = 0.001;        // of what a transform can tell apart
static const double least_new_share = 0.3;    // 5.1: of the reference's score
static const double least_new_score = 1.2;    // 5.1: of the threshold
static const double near = 1.1;               // step 8: of the mean distance of neighbours
static const double least_support = 0.1;      // step 8: of the trees
static const double least_attribution = 0.1;  // 5.4
static const size_t most_attributors = 5;     // 5.4

struct attribution {
    double high[TREE_MAX_DIMS], low[TREE_MAX_DIMS];
    double sum;
};

// All that a trial works with. Row numbers count from 0, the oldest of the shingle.
struct trial {
    const struct corrector *c;
    const struct corrector_input *in;
    struct corrector_answer *out;
    size_t features, dims;
    uint64_t gap;                    // buckets since the last anomaly
    size_t fresh;                    // rows of the shingle that are newer than it
    size_t row;                      // the one to blame
    float corrected[TREE_MAX_DIMS];  // the point without what the last anomaly did
    struct attribution attribution;  // of that
    struct attribution ideal;        // of an expected point
};

static void attribute(const struct trial *t, const float *point, struct attribution *a) {
    forest_attribution(t->in->forest, point, a->high, a->low);
    a->sum = 0;
    for (size_t i = 0; i < t->dims; i++)  // NOLINTNEXTLINE(clang-analyzer-core.*): just filled
        a->sum += a->high[i] + a->low[i];
}

static void acquit(struct trial *t, enum correction mode) {
    t->out->grade = 0;
    t->out->mode = mode;
}

// --- step 4: the point without the last anomaly ----------------------------------------------

// Rows that the shingle shares with the anomaly's: what was expected of them.
static void restore_shared_rows(struct trial *t) {
    const struct corrector *c = t->c;
    if (!c->has_expected) return;
    size_t gone = (size_t)t->gap * t->features;
    if (t->gap < t->in->options->shingle)
        memcpy(t->corrected, c->anomaly_expected + gone, (t->dims - gone) * sizeof(float));
    if (t->gap > t->in->options->shingle || c->anomaly_index != 0) return;
    if (!transform_differences(t->in->options->transform)) return;
    size_t newest = t->dims - t->features;
    for (size_t i = 0; i < t->features; i++)  // the step back down belongs to the anomaly
        t->corrected[t->dims - gone + i] +=
            c->anomaly_point[newest + i] - c->anomaly_expected[newest + i];
}

// The anomaly moved the mean that later values were centred on.
static void restore_shift(struct trial *t) {
    const struct model_options *o = t->in->options;
    bool centred =
        o->transform == TRANSFORM_NORMALIZE || o->transform == TRANSFORM_SUBTRACT_MEAN;
    if (!centred || t->gap >= 2 * o->shingle) return;
    double left = exp(-(double)t->gap * o->time_decay);
    for (size_t i = 0; i < t->features; i++) {
        float by = (float)(t->c->shift_moved[i] * left / t->in->scale[i]);
        for (size_t at = t->dims - t->fresh * t->features + i; at < t->dims; at += t->features)
            t->corrected[at] += by;
    }
}

// Returns whether anything differs from the point itself.
static bool correct_point(struct trial *t) {
    memcpy(t->corrected, t->in->point, t->dims * sizeof(float));
    if (t->c->has_anomaly) {
        restore_shared_rows(t);
        restore_shift(t);
        for (size_t i = 0; i < t->dims; i++)
            t->corrected[i] = fmaxf(-FOREST_MAX, fminf(FOREST_MAX, t->corrected[i])) + 0.0f;
    }
    return memcmp(t->corrected, t->in->point, t->dims * sizeof(float)) != 0;
}

// Step 5: no value is further from the centre than rounding explains.
static bool is_noise(const struct trial *t) {
    for (size_t i = 0; i < t->dims; i++) {
        size_t k = i % t->features;
        double distance = fabs((double)t->corrected[i]) * t->in->scale[k];
        if (distance > precision * (1 + fabs(t->in->shift[k]))) return false;
    }
    return true;
}

// --- who is to blame -------------------------------------------------------------------------

// Step 7: the fresh row with the largest attribution, the oldest of equals.
static size_t blame_row(const struct trial *t) {
    const struct attribution *a = &t->attribution;
    size_t shingle = t->in->options->shingle, worst = shingle - t->fresh;
    double most = -1;
    for (size_t row = shingle - t->fresh; row < shingle; row++) {
        double sum = attribution_of_row(t->in->forest, a->high, a->low, row);
        if (sum > most) {
            most = sum;
            worst = row;
        }
    }
    return worst;
}

static int compare_falling(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x > y ? -1 : x < y;
}

// 5.4: marks the coordinates of a row that made the score. Returns how many; 0 when they are
// too many to tell, or none stands out.
static size_t blame_coordinates(const struct trial *t, size_t row, uint8_t *missing) {
    const struct attribution *a = &t->attribution;
    size_t first = row * t->features;
    memset(missing, 0, t->dims);
    if (t->features == 1) return missing[first] = 1;
    double shares[MODEL_MAX_FEATURES], sum = 0;
    for (size_t i = 0; i < t->features; i++)
        sum += shares[i] = a->high[first + i] + a->low[first + i];
    qsort(shares, t->features, sizeof *shares, compare_falling);
    if (shares[0] < least_attribution * sum) return 0;
    size_t pick = 1;
    while (pick < t->features &&
           shares[pick] >= fmin(least_attribution * sum, least_attribution))
        pick++;
    if (pick > most_attributors || 2 * pick > t->dims) return 0;
    size_t count = 0;
    for (size_t i = first; i < first + t->features && count < pick; i++) {
        double share = a->high[i] + a->low[i];
        bool strong = count == 0 || share > least_attribution * sum;
        if (share >= shares[pick - 1] && strong) count += missing[i] = 1;
    }
    return count;
}

// Step 9: the corrected point with the blamed coordinates as the forest expects them.
static enum status expect(const struct trial *t, size_t row, float *point, bool *known,
                          struct error *err) {
    uint8_t missing[TREE_MAX_DIMS];
    *known = blame_coordinates(t, row, missing) > 0 && t->dims > 1;
    if (!*known) return STATUS_OK;
    memcpy(point, t->corrected, t->dims * sizeof *point);
    return forest_impute(t->in->forest, point, missing, err);
}

// 5.1: whether the rows newer than the last anomaly are evidence of their own.
static bool is_new(const struct trial *t) {
    if (t->gap >= t->in->options->shingle || !t->c->has_anomaly) return true;
    double sum = 0;
    for (size_t i = t->dims - t->fresh * t->features; i < t->dims; i++)
        sum += fabs(t->attribution.high[i] - t->ideal.high[i]) +
               fabs(t->attribution.low[i] - t->ideal.low[i]);
    double whole = sum * (double)t->in->options->shingle / (double)t->fresh;
    return sum > least_new_share * t->c->anomaly_score &&
           whole > least_new_score * t->out->threshold;
}

// --- tolerance -------------------------------------------------------------------------------

// The mean step of a feature within the shingle, from a row on.
static double mean_step(const struct trial *t, size_t row, size_t feature) {
    bool steps = transform_differences(t->in->options->transform);
    double sum = 0;
    size_t count = 0;
    for (size_t at = row * t->features + feature; at + t->features < t->dims;
         at += t->features, count++) {
        double here = (double)t->in->point[at];
        sum += fabs(steps ? here : here - (double)t->in->point[at + t->features]);
    }
    return count ? sum / (double)count : 0;
}

// 5.2 and 5.3.
static void set_tolerance(struct trial *t) {
    for (size_t i = 0; i < t->features; i++) {
        double scale = t->in->scale[i], shift = t->in->shift[i];
        const struct ignore_near *rule = &t->in->options->ignore[i];
        double value = fabs((double)t->in->point[t->row * t->features + i] * scale + shift);
        double room = fmax(scale * mean_step(t, t->row, i), t->in->roughness[i]) + precision;
        if (shift < 0 || shift > 0) room += precision * (scale + fabs(shift));
        t->out->below[i] = fmax(room, fmax(rule->below, rule->below_ratio * value));
        t->out->above[i] = fmax(room, fmax(rule->above, rule->above_ratio * value));
    }
}

// Whether the blamed row agrees with that of another point within the tolerance.
static bool agrees(const struct trial *t, const float *other) {
    for (size_t i = 0; i < t->features; i++) {
        size_t at = t->row * t->features + i;
        double by = ((double)t->in->point[at] - (double)other[at]) * t->in->scale[i];
        if (by < -t->out->below[i] || by > t->out->above[i]) return false;
    }
    return true;
}

// Step 8: enough trees know such a value near such a point.
static enum status known_in_context(const struct trial *t, bool *known, struct error *err) {
    const struct forest *f = t->in->forest;
    struct neighbour *list = malloc(f->trees * sizeof *list);
    if (!list) return fail(err, STATUS_NO_MEMORY, "no memory for neighbours");
    size_t count = forest_neighbours(f, t->corrected, list);
    double mean = 0, support = 0;
    for (size_t i = 0; i < count; i++)
        mean += list[i].distance / (double)count;
    for (size_t i = 0; i < count; i++)
        if (list[i].distance < near * mean && agrees(t, tree_point(&f->space, list[i].row)))
            support += list[i].trees;
    free(list);
    *known = support >= least_support * (double)f->trees;
    return STATUS_OK;
}

// --- the trial -------------------------------------------------------------------------------

// Step 6: what the last anomaly explains is not reported again.
static enum status try_past(struct trial *t, double *corrected, struct error *err) {
    float expected[TREE_MAX_DIMS];
    bool known;
    *corrected = t->attribution.sum;  // NOLINT(clang-analyzer-core.*): attribute() was called
    if (t->attribution.sum <= t->out->threshold) return STATUS_OK;
    enum status status = expect(t, blame_row(t), expected, &known, err);
    if (status != STATUS_OK || !known) return status;
    attribute(t, expected, &t->ideal);
    *corrected = t->ideal.sum;
    if (!is_new(t)) acquit(t, CORRECTION_ANOMALY_IN_SHINGLE);
    return STATUS_OK;
}

// Step 9: against the expected point.
static enum status try_forecast(struct trial *t, double *corrected, struct error *err) {
    struct corrector_answer *out = t->out;
    enum status status = expect(t, t->row, out->expected, &out->has_expected, err);
    if (status != STATUS_OK || !out->has_expected) return status;
    if (t->gap < t->in->options->shingle && t->c->has_anomaly) {
        attribute(t, out->expected, &t->ideal);
        *corrected = t->ideal.sum;
        if (!is_new(t)) acquit(t, CORRECTION_ANOMALY_IN_SHINGLE);
    } else {
        *corrected = out->score;
    }
    if (out->grade > 0 && agrees(t, out->expected)) acquit(t, CORRECTION_FORECAST);
    return STATUS_OK;
}

static void share_blame(struct trial *t) {
    const struct attribution *a = &t->attribution;
    size_t first = t->row * t->features;
    double sum = attribution_of_row(t->in->forest, a->high, a->low, t->row);
    for (size_t i = 0; i < t->features; i++)
        t->out->contribution[i] = sum > 0 ? (a->high[first + i] + a->low[first + i]) / sum
                                          : 1.0 / (double)t->features;
    t->out->index = (int32_t)t->row - (int32_t)(t->in->options->shingle - 1);
}

static enum status run_trial(struct trial *t, double *corrected, struct error *err) {
    bool differs = correct_point(t), known = false;
    enum status status = STATUS_OK;
    if (is_noise(t)) {
        acquit(t, CORRECTION_NOISE);
        return STATUS_OK;
    }
    attribute(t, t->corrected, &t->attribution);
    if (differs) status = try_past(t, corrected, err);
    if (status != STATUS_OK || t->out->grade <= 0) return status;
    t->row = blame_row(t);
    share_blame(t);
    set_tolerance(t);
    if (t->in->options->auto_adjust) status = known_in_context(t, &known, err);
    if (known) acquit(t, CORRECTION_CONDITIONAL);
    if (status == STATUS_OK && !known) status = try_forecast(t, corrected, err);
    return status;
}

enum status corrector_try(const struct corrector *c, const struct corrector_input *in,
                          struct corrector_answer *out, double *corrected, struct error *err) {
    size_t shingle = in->options->shingle;
    struct trial t;  // large, but only what the point's dimensions need is touched
    t.c = c;
    t.in = in;
    t.out = out;
    t.features = in->options->features;
    t.dims = in->forest->space.dims;
    t.gap = c->has_anomaly ? in->bucket - c->anomaly_at : UINT64_MAX;
    t.fresh = t.gap < shingle ? (size_t)t.gap : shingle;
    enum status status = run_trial(&t, corrected, err);
    if (out->grade <= 0) *corrected = out->score;
    return status;
}
