/* model/stream.c - see stream.h. Bytes are in stream_save.c. */
#include "model/stream.h"

#include "model/conditional.h"

static const double learned_share = 0.5;  // a shingle with fewer filled in rows is learned
static const double least_gap = 1.5;      // mean gaps: a longer one holds missing intervals

// --- memory ----------------------------------------------------------------------------------

size_t stream_size(const struct model_options *o) {
    size_t doubles = o->features * (o->shingle + 1 + STREAM_INITIAL);
    return o->features * sizeof(struct transform) + doubles * sizeof(double) +
           (o->shingle + 7) / 8 * 8;
}

void stream_init(struct stream *s, void *memory, const struct model_options *o) {
    memset(memory, 0, stream_size(o));
    *s = (struct stream){.moments = memory};
    s->history = (double *)(s->moments + o->features);
    s->initial = s->history + o->features * (o->shingle + 1);
    s->filled = (uint8_t *)(s->initial + o->features * STREAM_INITIAL);
}

static double *history_row(const struct stream *s, const struct model_options *o,
                           uint64_t pushed) {
    return s->history + pushed % (o->shingle + 1) * o->features;
}

const double *stream_past(const struct stream *s, const struct forest *f,
                          const struct model_options *o, size_t back) {
    return history_row(s, o, f->pushed - 1 - back);
}

// --- missing intervals -----------------------------------------------------------------------

static bool fills_intervals(const struct model_options *o) {
    return o->shingle > 1 && o->impute != IMPUTE_NONE;
}

// The interval when nobody told it: the mean gap, less what a few long ones add to it.
static double usual_gap(const struct stream *s) {
    double mean = s->gaps.mean, deviation = deviation_of(&s->gaps);
    if (deviation > 0 && deviation < mean / 2) mean -= deviation * deviation / (2 * mean);
    return mean;
}

// Intervals without a row before one at a time.
static uint64_t missing_intervals(const struct stream *s, const struct model_options *o,
                                  int64_t time_ms) {
    if (time_ms == MODEL_NO_TIME || s->last_time == MODEL_NO_TIME) return 0;
    double gap = (double)time_ms - (double)s->last_time;
    double count;
    if (o->interval_ms > 0) {
        count = round(gap / (double)o->interval_ms) - 1;
    } else {
        double usual = usual_gap(s);
        count = usual > 0 && gap >= least_gap * usual ? ceil(gap / usual) - 1 : 0;
    }
    return count > 0 ? (uint64_t)fmin(count, 0x1p40) : 0;
}

// --- rows ------------------------------------------------------------------------------------

static double bound(double value) {  // a missing value stays missing
    return value > TRANSFORM_MAX    ? TRANSFORM_MAX
           : value < -TRANSFORM_MAX ? -TRANSFORM_MAX
                                    : value;
}

// What stands for a missing value of a feature.
static double substitute(const struct stream *s, const struct model_options *o,
                         size_t feature) {
    if (o->impute == IMPUTE_ZERO) return 0;
    if (o->impute == IMPUTE_FIXED) return bound(o->fixed[feature]);
    return s->moments[feature].previous;
}

static enum status push_row(struct stream *s, struct forest *f, const struct model_options *o,
                            const double *values, const double *shift, const double *scale,
                            bool filled, struct error *err) {
    float row[MODEL_MAX_FEATURES];
    for (size_t i = 0; i < o->features; i++)
        row[i] = transform_apply(o->transform, shift[i], scale[i], values[i]);
    memcpy(history_row(s, o, f->pushed), values, o->features * sizeof *values);
    s->filled[f->pushed % o->shingle] = filled;
    s->bucket++;
    return forest_push(f, row, err);
}

void stream_scales(const struct stream *s, const struct model_options *o, double *shift,
                   double *scale) {
    for (size_t i = 0; i < o->features; i++) {
        shift[i] = transform_shift(&s->moments[i], o->transform);
        scale[i] = transform_scale(&s->moments[i], o->transform);
    }
}

static size_t filled_rows(const struct stream *s, const struct model_options *o) {
    size_t count = 0;
    for (size_t i = 0; i < o->shingle; i++)
        count += s->filled[i];
    return count;
}

static enum status learn_shingle(const struct stream *s, struct forest *f,
                                 const struct model_options *o, struct error *err) {
    if (!forest_has_shingle(f)) return STATUS_OK;
    double share = (double)filled_rows(s, o) / (double)o->shingle;
    return share < learned_share ? forest_learn(f, err) : STATUS_OK;
}

// The forest's opinion on the features that are marked missing in the row that follows.
static enum status ask_forest(const struct forest *f, const struct model_options *o,
                              const double *shift, const double *scale, const uint8_t *missing,
                              double *values, struct error *err) {
    float point[TREE_MAX_DIMS];
    uint8_t marks[TREE_MAX_DIMS] = {0};
    size_t kept = f->space.dims - o->features;
    memcpy(point, forest_shingle(f) + o->features, kept * sizeof *point);
    for (size_t i = 0; i < o->features; i++) {
        point[kept + i] = transform_apply(o->transform, shift[i], scale[i], values[i]);
        marks[kept + i] = missing[i];
    }
    enum status status = forest_impute(f, point, marks, err);
    for (size_t i = 0; i < o->features && status == STATUS_OK; i++)
        if (missing[i]) values[i] = bound((double)point[kept + i] * scale[i] + shift[i]);
    return status;
}

// Replaces missing values; `alone`: no interval before the row is missing too.
static enum status fill_values(const struct stream *s, const struct forest *f,
                               const struct model_options *o, const double *shift,
                               const double *scale, const uint8_t *missing, bool alone,
                               double *values, struct error *err) {
    bool any = false;
    for (size_t i = 0; i < o->features; i++) {
        if (missing[i]) values[i] = substitute(s, o, i);
        any |= missing[i] != 0;
    }
    bool able = alone && f->updates >= stream_least_rows(o) && f->space.dims >= 4;
    if (!any || o->impute != IMPUTE_FOREST || !able) return STATUS_OK;
    return ask_forest(f, o, shift, scale, missing, values, err);
}

// Pushes rows for the intervals before one at a time.
static enum status fill_intervals(struct stream *s, struct forest *f,
                                  const struct model_options *o, int64_t time_ms,
                                  struct error *err) {
    uint64_t count = missing_intervals(s, o, time_ms);
    uint64_t most = count < o->shingle ? count : o->shingle;
    uint8_t all[MODEL_MAX_FEATURES];
    memset(all, 1, sizeof all);
    enum status status = STATUS_OK;
    for (uint64_t i = 0; i < most && status == STATUS_OK; i++) {
        double values[MODEL_MAX_FEATURES], shift[MODEL_MAX_FEATURES], scale[MODEL_MAX_FEATURES];
        stream_scales(s, o, shift, scale);
        status = fill_values(s, f, o, shift, scale, all, count == 1, values, err);
        if (status == STATUS_OK) status = push_row(s, f, o, values, shift, scale, true, err);
        if (status == STATUS_OK) status = learn_shingle(s, f, o, err);
    }
    s->bucket += count - most;
    return status;
}

enum status stream_row(struct stream *s, struct forest *f, const struct model_options *o,
                       int64_t time_ms, const double *values, struct stream_row *out,
                       struct error *err) {
    enum status status = STATUS_OK;
    bool gap = s->seen > 0 && fills_intervals(o) && missing_intervals(s, o, time_ms) > 0;
    if (gap) status = fill_intervals(s, f, o, time_ms, err);
    if (status != STATUS_OK) return status;
    stream_scales(s, o, out->shift, out->scale);
    out->missing_count = 0;
    for (size_t i = 0; i < o->features; i++) {
        out->roughness[i] = transform_roughness(&s->moments[i]);
        out->values[i] = bound(values[i]);
        out->missing[i] = (uint8_t)(isnan(values[i]) != 0);
        out->missing_count += out->missing[i];
    }
    status = fill_values(s, f, o, out->shift, out->scale, out->missing, !gap, out->values, err);
    if (status != STATUS_OK) return status;
    bool filled = out->missing_count == o->features && fills_intervals(o);
    return push_row(s, f, o, out->values, out->shift, out->scale, filled, err);
}

static void learn_moments(struct stream *s, const struct model_options *o, int64_t time_ms,
                          const struct stream_row *row) {
    bool timed = time_ms != MODEL_NO_TIME && s->last_time != MODEL_NO_TIME;
    double gap = s->seen > 0 && timed ? (double)time_ms - (double)s->last_time : 0;
    double present = 1 - (double)row->missing_count / (double)o->features;
    double real = 1 - (double)filled_rows(s, o) / (double)o->shingle;
    deviation_update(&s->gaps, o->time_decay, fmax(0, gap));
    deviation_update(&s->quality, o->time_decay, fmin(present, real));
    for (size_t i = 0; i < o->features; i++)
        transform_learn(&s->moments[i], o->time_decay, row->values[i], row->missing[i]);
    s->last_time = time_ms;
    s->seen++;
}

enum status stream_learn(struct stream *s, struct forest *f, const struct model_options *o,
                         int64_t time_ms, const struct stream_row *row, struct error *err) {
    learn_moments(s, o, time_ms, row);
    return learn_shingle(s, f, o, err);
}

// --- the first rows --------------------------------------------------------------------------

static size_t initial_rows(const struct model_options *o) {
    return o->output_after < STREAM_INITIAL ? o->output_after : STREAM_INITIAL;
}

bool stream_holds(const struct stream *s, const struct model_options *o) {
    return s->seen < initial_rows(o);
}

// The next row from `at` on, in steps of `by`, in which a feature is there; SIZE_MAX if none.
static size_t find_value(const double *rows, size_t features, size_t feature, size_t count,
                         size_t at, size_t by) {
    for (; at < count; at += by)
        if (!isnan(rows[at * features + feature])) return at;
    return SIZE_MAX;
}

// A missing value of the first rows: on the line between its neighbours.
static double interpolate(const double *rows, size_t features, size_t feature, size_t count,
                          size_t at) {
    size_t before = find_value(rows, features, feature, count, at, SIZE_MAX);  // backwards
    size_t after = find_value(rows, features, feature, count, at, 1);
    if (before == SIZE_MAX && after == SIZE_MAX) return 0;
    if (before == SIZE_MAX) return rows[after * features + feature];
    double left = rows[before * features + feature];
    if (after == SIZE_MAX) return left;
    double right = rows[after * features + feature];
    return left + (right - left) * (double)(at - before) / (double)(after - before);
}

static void fill_initial(const struct stream *s, const struct model_options *o, size_t count,
                         double *out) {
    bool fixed = o->impute == IMPUTE_ZERO || o->impute == IMPUTE_FIXED;
    for (size_t at = 0; at < count; at++)
        for (size_t i = 0; i < o->features; i++) {
            double value = s->initial[at * o->features + i];
            if (isnan(value))
                value = fixed ? substitute(s, o, i)
                              : interpolate(s->initial, o->features, i, count, at);
            out[at * o->features + i] = value;
        }
}

// Moments over all first rows.
static void common_moments(const struct model_options *o, const double *rows, size_t count,
                           struct transform *out) {
    memset(out, 0, o->features * sizeof *out);
    for (size_t at = 0; at < count; at++)
        for (size_t i = 0; i < o->features; i++)
            transform_learn(&out[i], o->time_decay, rows[at * o->features + i], false);
}

static enum status push_initial(struct stream *s, struct forest *f,
                                const struct model_options *o, int64_t time_ms,
                                const double *raw, const double *values,
                                struct transform *common, struct error *err) {
    struct stream_row row = {0};
    enum status status = STATUS_OK;
    if (s->seen > 0 && fills_intervals(o)) status = fill_intervals(s, f, o, time_ms, err);
    for (size_t i = 0; i < o->features; i++) {
        common[i].previous = s->seen > 0 ? s->moments[i].previous : values[i];
        row.values[i] = values[i];
        row.missing[i] = (uint8_t)(isnan(raw[i]) != 0);
        row.missing_count += row.missing[i];
        row.shift[i] = transform_shift(&common[i], o->transform);
        row.scale[i] = transform_common_scale(&common[i], o->transform);
    }
    if (status == STATUS_OK)
        status = push_row(s, f, o, row.values, row.shift, row.scale, false, err);
    learn_moments(s, o, time_ms, &row);
    return status;
}

// The first rows fill the shingle and the moments; the forest learns from the next row on.
static enum status release_initial(struct stream *s, struct forest *f,
                                   const struct model_options *o, size_t count,
                                   struct error *err) {
    double rows[STREAM_INITIAL * MODEL_MAX_FEATURES];
    struct transform common[MODEL_MAX_FEATURES];
    fill_initial(s, o, count, rows);
    common_moments(o, rows, count, common);
    s->seen = s->bucket = 0;
    enum status status = STATUS_OK;
    for (size_t at = 0; at < count && status == STATUS_OK; at++)
        status = push_initial(s, f, o, s->initial_times[at], s->initial + at * o->features,
                              rows + at * o->features, common, err);
    return status;
}

enum status stream_hold(struct stream *s, struct forest *f, const struct model_options *o,
                        int64_t time_ms, const double *values, struct error *err) {
    for (size_t i = 0; i < o->features; i++)
        s->initial[s->seen * o->features + i] = bound(values[i]);
    s->initial_times[s->seen++] = time_ms;
    s->bucket++;
    if (stream_holds(s, o)) return STATUS_OK;
    return release_initial(s, f, o, initial_rows(o), err);
}

// --- maturity --------------------------------------------------------------------------------

size_t stream_least_rows(const struct model_options *o) {
    return o->output_after >= o->shingle ? o->output_after - o->shingle + 1 : 1;
}

double stream_confidence(const struct stream *s, const struct model_options *o) {
    const double mature = 20;  // e^-20 is nothing
    double quality = fmin(1, s->quality.mean), n = (double)stream_least_rows(o);
    double age = o->time_decay * (double)s->seen;
    if (age <= 0) return 0;
    if (age >= mature) return quality;
    double young = expm1(o->time_decay * fmin((double)s->seen, n));
    return fmax(0, quality * (expm1(age) - young) / expm1(age));
}
