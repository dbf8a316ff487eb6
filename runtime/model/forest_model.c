/* model/forest_model.c - the class of kind MODEL_FOREST: rows become shingles (stream), the
 * forest scores them, the corrector grades them.
 *
 *     one allocation: [ forest_model | stream's arrays | corrector's arrays ], and the forest's
 *
 * A row of which every value is missing is scored when zeros or fixed values stand in for it
 * (its silence is then the news), but not when they are only repeated or guessed. */
#include "model/forest_model.h"

#include "model/corrector.h"
#include "model/model_class.h"
#include "model/stream.h"

#include <stdlib.h>

#define MAX_SHINGLE 128
#define MAX_TREES 1000

struct forest_model {
    struct model head;
    struct forest forest;
    struct stream stream;
    struct corrector corrector;
    double arrays[];
};

static void defaults(struct model_options *o) {
    o->shingle = 8;
    o->trees = 50;
    o->samples = 256;
    o->time_decay = 1.0 / 2560;
    o->output_after = 32;
    o->initial_accept = 0.125;
    o->z_factor = 3;
    o->anomaly_rate = 0.005;
    o->auto_adjust = o->alert_once = true;
    o->transform = TRANSFORM_NORMALIZE;
    o->impute = IMPUTE_PREVIOUS;
}

// --- options ---------------------------------------------------------------------------------

static enum status check_range(const char *name, double value, double least, double most,
                               struct error *err) {
    if (value >= least && value <= most) return STATUS_OK;
    return fail(err, STATUS_INVALID, "%s must be %g to %g, not %g", name, least, most, value);
}

static enum status check_features(const struct model_options *o, struct error *err) {
    for (size_t i = 0; i < o->features; i++) {
        const struct ignore_near *rule = &o->ignore[i];
        const double all[] = {rule->above, rule->below, rule->above_ratio, rule->below_ratio};
        for (size_t k = 0; k < sizeof all / sizeof *all; k++)
            if (!(all[k] >= 0) || isinf(all[k]))
                return fail(err, STATUS_INVALID, "ignore of feature %zu must not be %g", i,
                            all[k]);
        if (!isfinite(o->fixed[i]))
            return fail(err, STATUS_INVALID, "fixed value of feature %zu must not be %g", i,
                        o->fixed[i]);
    }
    return STATUS_OK;
}

static enum status check(const struct model_options *o, struct error *err) {
    const struct {
        const char *name;
        double value, least, most;
    } ranges[] = {
        {"shingle", (double)o->shingle, 1, MAX_SHINGLE},
        {"features * shingle", (double)o->features * (double)o->shingle, 1, TREE_MAX_DIMS},
        {"trees", (double)o->trees, 1, MAX_TREES},
        {"samples", (double)o->samples, 2, TREE_MAX_SAMPLES},
        {"time_decay", o->time_decay, 1e-9, 0.5},
        {"output_after", (double)o->output_after, 1, 1e6},
        {"initial_accept", o->initial_accept, 0.001, 1},
        {"z_factor", o->z_factor, 0.1, 1e6},
        {"anomaly_rate", o->anomaly_rate, 1e-9, 0.5},
        {"transform", (double)o->transform, 0, TRANSFORM_NORMALIZE_DIFFERENCE},
        {"impute", (double)o->impute, 0, IMPUTE_FOREST},
    };
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges && status == STATUS_OK; i++)
        status =
            check_range(ranges[i].name, ranges[i].value, ranges[i].least, ranges[i].most, err);
    return status == STATUS_OK ? check_features(o, err) : status;
}

// --- life ------------------------------------------------------------------------------------

static size_t arrays_size(const struct model_options *o) {
    return stream_size(o) + corrector_size(o->shingle * o->features, o->features);
}

static enum status create(const struct model_options *o, struct model **out,
                          struct error *err) {
    struct forest_model *m = malloc(sizeof *m + arrays_size(o));
    if (!m) return fail(err, STATUS_NO_MEMORY, "no memory for a forest");
    stream_init(&m->stream, m->arrays, o);
    corrector_init(&m->corrector, (uint8_t *)m->arrays + stream_size(o),
                   o->shingle * o->features, o->features);
    enum status status = forest_init(&m->forest, o->features, o->shingle, o->trees, o->samples,
                                     o->time_decay, o->initial_accept, o->seed, err);
    if (status != STATUS_OK) {
        free(m);
        return status;
    }
    *out = &m->head;
    return STATUS_OK;
}

static void destroy(struct model *head) {
    struct forest_model *m = (struct forest_model *)head;
    forest_clear(&m->forest);
    free(m);
}

static size_t size_bytes(const struct model *head) {
    const struct forest_model *m = (const struct forest_model *)head;
    return sizeof *m + arrays_size(&head->options) + forest_size_bytes(&m->forest);
}

// --- verdicts --------------------------------------------------------------------------------

// The value of a feature that a coordinate of the blamed row stands for.
static double value_of(const struct forest_model *m, const struct stream_row *row, size_t back,
                       size_t feature, float coordinate) {
    const struct model_options *o = &m->head.options;
    double shift = row->shift[feature];
    if (transform_differences(o->transform) && back > 0)  // a step from the row before it
        shift += stream_past(&m->stream, &m->forest, o,
                             back + 1 <= o->shingle ? back + 1 : back)[feature] -
                 stream_past(&m->stream, &m->forest, o, 1)[feature];
    return (double)coordinate * row->scale[feature] + shift;
}

static void tell_expected(const struct forest_model *m, const struct stream_row *row,
                          const struct corrector_answer *a, const float *point,
                          struct verdict *out) {
    const struct model_options *o = &m->head.options;
    size_t back = (size_t)-a->index;
    size_t first = (o->shingle - 1 - back) * o->features;
    const double *actual = stream_past(&m->stream, &m->forest, o, back);
    out->has_expected = out->expected && out->lower && out->upper;
    for (size_t i = 0; i < o->features && out->has_expected; i++) {
        bool same = a->expected[first + i] == point[first + i];
        double value = same ? actual[i] : value_of(m, row, back, i, a->expected[first + i]);
        out->expected[i] = value;
        out->lower[i] = value - a->below[i];
        out->upper[i] = value + a->above[i];
    }
}

static void tell(const struct forest_model *m, const struct stream_row *row,
                 const struct corrector_answer *a, const float *point, struct verdict *out) {
    const struct model_options *o = &m->head.options;
    size_t bytes = o->features * sizeof(double);
    out->scored = true;
    out->score = a->score;
    out->threshold = a->threshold;
    out->grade = a->grade;
    if (a->grade <= 0) return;
    out->relative_index = a->index;
    if (out->contribution) memcpy(out->contribution, a->contribution, bytes);
    if (a->has_expected) tell_expected(m, row, a, point, out);
    out->has_past = a->index < 0 && out->past;
    if (out->has_past)
        memcpy(out->past, stream_past(&m->stream, &m->forest, o, (size_t)-a->index), bytes);
}

static bool is_silent(const struct model_options *o, const struct stream_row *row) {
    return row->missing_count == o->features && o->impute != IMPUTE_ZERO &&
           o->impute != IMPUTE_FIXED;
}

// Scores the row that the stream has pushed; the corrector learns the score.
static enum status judge(struct forest_model *m, const struct stream_row *row,
                         struct verdict *out, bool *anomaly, struct error *err) {
    const struct model_options *o = &m->head.options;
    *anomaly = false;
    bool young = m->forest.pushed <= stream_least_rows(o) || m->forest.updates == 0;
    if (young || is_silent(o, row)) return STATUS_OK;
    float expected[TREE_MAX_DIMS];
    double contribution[MODEL_MAX_FEATURES], below[MODEL_MAX_FEATURES],
        above[MODEL_MAX_FEATURES];
    struct corrector_answer a = {
        .expected = expected, .contribution = contribution, .below = below, .above = above};
    struct corrector_input in = {.forest = &m->forest,
                                 .options = o,
                                 .point = forest_shingle(&m->forest),
                                 .shift = row->shift,
                                 .scale = row->scale,
                                 .roughness = row->roughness,
                                 .bucket = m->stream.bucket};
    enum status status = corrector_judge(&m->corrector, &in, &a, err);
    if (status != STATUS_OK || a.score <= 0) return status;
    *anomaly = a.grade > 0;
    tell(m, row, &a, in.point, out);
    return STATUS_OK;
}

static enum status learn(struct forest_model *m, int64_t time_ms, const struct stream_row *row,
                         bool anomaly, struct error *err) {
    const struct model_options *o = &m->head.options;
    enum status status = stream_learn(&m->stream, &m->forest, o, time_ms, row, err);
    if (!anomaly) return status;
    double after[MODEL_MAX_FEATURES];
    for (size_t i = 0; i < o->features; i++)
        after[i] = transform_shift(&m->stream.moments[i], o->transform);
    corrector_note_shift(&m->corrector, o, row->shift, after);
    return status;
}

static bool has_missing(const double *values, size_t features) {
    for (size_t i = 0; i < features; i++)
        if (isnan(values[i])) return true;
    return false;
}

static enum status push(struct model *head, int64_t time_ms, const double *values,
                        struct verdict *out, struct error *err) {
    struct forest_model *m = (struct forest_model *)head;
    const struct model_options *o = &head->options;
    out->confidence = stream_confidence(&m->stream, o);
    if (o->impute == IMPUTE_NONE && has_missing(values, o->features)) return STATUS_OK;
    if (stream_holds(&m->stream, o))
        return stream_hold(&m->stream, &m->forest, o, time_ms, values, err);
    struct stream_row row;
    bool anomaly;
    enum status status = stream_row(&m->stream, &m->forest, o, time_ms, values, &row, err);
    if (status == STATUS_OK) status = judge(m, &row, out, &anomaly, err);
    if (status == STATUS_OK) status = learn(m, time_ms, &row, anomaly, err);
    if (status == STATUS_OK && out->imputed) memcpy(out->imputed, row.missing, o->features);
    if (status == STATUS_OK && out->used)
        memcpy(out->used, row.values, o->features * sizeof *out->used);
    return status;
}

// --- bytes -----------------------------------------------------------------------------------

static void save(const struct model *head, struct pack *out) {
    const struct forest_model *m = (const struct forest_model *)head;
    stream_save(&m->stream, &head->options, out);
    corrector_save(&m->corrector, &head->options, out);
    forest_save(&m->forest, out);
}

static enum status load(struct model *head, struct unpack *in, struct error *err) {
    struct forest_model *m = (struct forest_model *)head;
    const struct model_options *o = &head->options;
    if (!stream_load(&m->stream, o, in) || !corrector_load(&m->corrector, o, in))
        return fail(err, STATUS_INVALID, "the saved forest is damaged: its moments are wrong");
    if (m->corrector.has_anomaly && m->corrector.anomaly_at > m->stream.bucket)
        return fail(err, STATUS_INVALID, "the saved forest is damaged: an anomaly to come");
    enum status status = forest_load(&m->forest, in, err);
    if (status != STATUS_OK) return status;
    if (stream_holds(&m->stream, o) ? m->forest.pushed > 0 : m->forest.pushed < 1)
        return fail(err, STATUS_INVALID, "the saved forest is damaged: its rows are wrong");
    return STATUS_OK;
}

const struct model_class forest_class = {
    .name = "forest",
    .defaults = defaults,
    .check = check,
    .create = create,
    .destroy = destroy,
    .push = push,
    .save = save,
    .load = load,
    .size_bytes = size_bytes,
};

const struct forest *forest_model_forest(const struct model *m) {
    return m->class == &forest_class ? &((const struct forest_model *)m)->forest : NULL;
}

bool forest_model_scales(const struct model *m, double *shift, double *scale) {
    if (m->class != &forest_class) return false;
    stream_scales(&((const struct forest_model *)m)->stream, &m->options, shift, scale);
    return true;
}
