/* model/corrector.c - see corrector.h. The steps are those of the specification's chapter 5;
 * the trial of a point, steps 4 to 9, is in corrector_trial.c. */
#include "model/corrector_trial.h"

#include "model/transform.h"

static const double largest_score = 1e9;  // far above log2(1 + samples)
static const uint32_t least_run = 2;      // a drift needs more points than this

// --- memory ----------------------------------------------------------------------------------

size_t corrector_size(size_t dims, size_t features) {
    return features * (2 * sizeof(struct deviation) + sizeof(double)) +
           2 * dims * sizeof(float);
}

void corrector_init(struct corrector *c, void *memory, size_t dims, size_t features) {
    memset(memory, 0, corrector_size(dims, features));
    *c = (struct corrector){0};
    c->actual = memory;
    c->expected = c->actual + features;
    c->shift_moved = (double *)(c->expected + features);
    c->anomaly_point = (float *)(c->shift_moved + features);
    c->anomaly_expected = c->anomaly_point + dims;
}

// --- runs of anomalies -----------------------------------------------------------------------

// Step 2: the point may go on a run. The longer the run, the more a score must stand out not
// to.
static bool continues_run(const struct corrector *c, const struct model_options *o,
                          const struct threshold_answer *raw, double score) {
    if (raw->grade <= 0 || !c->has_before) return false;
    if (score > c->before_score) return true;
    double window = 2.0 * (double)(o->shingle > 10 ? o->shingle : 10);
    double leeway = 1 + fmax(0.2, c->run / window);
    double bar = fmax(raw->threshold, c->before_threshold) * leeway;
    return c->before_score - c->before_threshold > score - bar;
}

// Whether a feature's newest value, and what was expected of it, are like those of the run.
static bool like_run(const struct corrector *c, const struct corrector_input *in,
                     const struct corrector_answer *out, size_t feature) {
    size_t at = in->forest->space.dims - in->options->features + feature;
    const struct deviation *actual = &c->actual[feature], *expected = &c->expected[feature];
    double noise = fmax(2 * deviation_of(actual), in->roughness[feature] / in->scale[feature]);
    if (!(fabs(actual->mean - (double)in->point[at]) < noise)) return false;
    if (!out->has_expected) return true;
    double room = 2 * fmax(deviation_of(expected), deviation_of(actual)) +
                  0.1 * fabs(actual->mean - expected->mean);
    return fabs(expected->mean - (double)out->expected[at]) < room;
}

// Step 10.
static void follow_run(struct corrector *c, const struct corrector_input *in,
                       struct corrector_answer *out) {
    const struct model_options *o = in->options;
    size_t newest = in->forest->space.dims - o->features;
    for (size_t i = 0; i < o->features; i++) {
        deviation_update(&c->actual[i], o->time_decay, (double)in->point[newest + i]);
        if (out->has_expected)
            deviation_update(&c->expected[i], o->time_decay, (double)out->expected[newest + i]);
    }
    if (c->run <= least_run || out->grade <= 0) return;
    for (size_t i = 0; i < o->features; i++)
        if (!like_run(c, in, out, i)) return;
    out->mode = CORRECTION_DRIFT;
    out->grade = 0;
}

// Step 12.
static void count_run(struct corrector *c, const struct model_options *o,
                      const struct corrector_answer *out) {
    bool goes_on = out->grade > 0 || (out->mode != CORRECTION_NONE && c->run > 0);
    if (goes_on) c->run++;
    if (out->grade > 0 || out->mode != CORRECTION_NONE) return;
    c->run = 0;
    memset(c->actual, 0, o->features * sizeof *c->actual);
    memset(c->expected, 0, o->features * sizeof *c->expected);
}

// --- judging ---------------------------------------------------------------------------------

static void remember(struct corrector *c, const struct corrector_input *in,
                     const struct corrector_answer *out) {
    size_t bytes = in->forest->space.dims * sizeof(float);
    c->has_before = true;
    c->before_score = out->score;
    c->before_threshold = out->threshold;
    if (out->grade <= 0) return;
    c->has_anomaly = true;
    c->has_expected = out->has_expected;
    c->anomaly_at = in->bucket;
    c->anomaly_score = out->score;
    c->anomaly_index = out->index;
    memcpy(c->anomaly_point, in->point, bytes);
    if (out->has_expected) memcpy(c->anomaly_expected, out->expected, bytes);
    memset(c->shift_moved, 0, in->options->features * sizeof *c->shift_moved);
}

enum status corrector_judge(struct corrector *c, const struct corrector_input *in,
                            struct corrector_answer *out, struct error *err) {
    const struct model_options *o = in->options;
    out->score = forest_score(in->forest, in->point);
    out->grade = 0;
    out->mode = CORRECTION_NONE;
    out->index = 0;
    out->has_expected = false;
    if (out->score <= 0) return STATUS_OK;

    struct threshold_answer raw = threshold_ask(&c->threshold, o, out->score);
    out->threshold = raw.threshold;
    out->grade = raw.grade;
    double corrected = out->score;
    if (raw.grade > 0) {
        enum status status = corrector_try(c, in, out, &corrected, err);
        if (status != STATUS_OK) return status;
    }
    if (continues_run(c, o, &raw, out->score)) {
        if (o->auto_adjust) follow_run(c, in, out);
        bool again = c->run > 0 && in->bucket - c->anomaly_at < o->shingle;
        if (o->alert_once && out->grade > 0 && again) {
            out->mode = CORRECTION_ALERT_ONCE;
            out->grade = 0;
        }
    }
    if (out->grade <= 0) out->has_expected = false;
    count_run(c, o, out);
    remember(c, in, out);
    threshold_learn(&c->threshold, o, out->score, corrected, c->last_score);
    if (o->shingle > 1) c->last_score = out->score;
    return STATUS_OK;
}

void corrector_note_shift(struct corrector *c, const struct model_options *o,
                          const double *before, const double *after) {
    for (size_t i = 0; i < o->features; i++)
        c->shift_moved[i] = after[i] - before[i];
}

// --- bytes -----------------------------------------------------------------------------------

void corrector_save(const struct corrector *c, const struct model_options *o,
                    struct pack *out) {
    size_t dims = o->shingle * o->features;
    threshold_save(&c->threshold, out);
    pack_f64(out, c->last_score);
    pack_f64(out, c->before_score);
    pack_f64(out, c->before_threshold);
    pack_u8(out, c->has_before);
    pack_u32(out, c->run);
    pack_u8(out, c->has_anomaly);
    pack_u8(out, c->has_expected);
    pack_u64(out, c->anomaly_at);
    pack_f64(out, c->anomaly_score);
    pack_u32(out, (uint32_t)c->anomaly_index);
    pack_bytes(out, c->anomaly_point, dims * sizeof *c->anomaly_point);
    pack_bytes(out, c->anomaly_expected, dims * sizeof *c->anomaly_expected);
    pack_bytes(out, c->shift_moved, o->features * sizeof *c->shift_moved);
    for (size_t i = 0; i < o->features; i++) {
        deviation_save(&c->actual[i], out);
        deviation_save(&c->expected[i], out);
    }
}

static bool load_arrays(struct corrector *c, const struct model_options *o, struct unpack *in) {
    size_t dims = o->shingle * o->features;
    bool good = true;
    unpack_bytes(in, c->anomaly_point, dims * sizeof *c->anomaly_point);
    unpack_bytes(in, c->anomaly_expected, dims * sizeof *c->anomaly_expected);
    unpack_bytes(in, c->shift_moved, o->features * sizeof *c->shift_moved);
    for (size_t i = 0; i < dims; i++)
        good &= fabsf(c->anomaly_point[i]) <= FOREST_MAX &&
                fabsf(c->anomaly_expected[i]) <= FOREST_MAX;
    for (size_t i = 0; i < o->features; i++) {
        good &= isfinite(c->shift_moved[i]) != 0;
        good &= deviation_load(&c->actual[i], in);
        good &= deviation_load(&c->expected[i], in);
    }
    return good;
}

bool corrector_load(struct corrector *c, const struct model_options *o, struct unpack *in) {
    bool good = threshold_load(&c->threshold, in);
    c->last_score = unpack_f64(in);
    c->before_score = unpack_f64(in);
    c->before_threshold = unpack_f64(in);
    c->has_before = unpack_u8(in) != 0;
    c->run = unpack_u32(in);
    c->has_anomaly = unpack_u8(in) != 0;
    c->has_expected = unpack_u8(in) != 0;
    c->anomaly_at = unpack_u64(in);
    c->anomaly_score = unpack_f64(in);
    c->anomaly_index = (int32_t)unpack_u32(in);
    const double scores[] = {c->last_score, c->before_score, c->anomaly_score};
    good &= isfinite(c->before_threshold) != 0;
    for (size_t i = 0; i < sizeof scores / sizeof *scores; i++)
        good &= scores[i] >= 0 && scores[i] <= largest_score;
    good &= c->anomaly_index <= 0 && c->anomaly_index > -(int32_t)o->shingle;
    return load_arrays(c, o, in) && good;
}
