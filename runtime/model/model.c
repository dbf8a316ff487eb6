/* model/model.c - see model.h. What all kinds share: options, rows, the envelope of saved
 * bytes.
 *
 *     saved:  magic | format | kind | features | options | rows | state of the kind | checksum
 */
#include "model/model_class.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC 0x4D504C42u  // "BLPM"
#define FORMAT 1u

static const struct model_class *const classes[] = {
    [MODEL_FOREST] = &forest_class,
    [MODEL_ENSEMBLE] = &ensemble_class,
};
static const size_t class_count = sizeof classes / sizeof *classes;

const struct model_class *model_class_of(enum model_kind kind) {
    return (size_t)kind < class_count ? classes[kind] : NULL;
}

int model_kind_named(const char *name) {
    for (size_t kind = 0; kind < class_count; kind++)
        if (classes[kind] && strcmp(classes[kind]->name, name) == 0) return (int)kind;
    return -1;
}

void model_options_default(struct model_options *options, enum model_kind kind,
                           size_t features) {
    *options = (struct model_options){.kind = kind, .features = features};
    const struct model_class *class = model_class_of(kind);
    if (class) class->defaults(options);
}

static enum status check_common(const struct model_options *o, struct error *err) {
    if (!model_class_of(o->kind))
        return fail(err, STATUS_INVALID, "there is no model of kind %d", (int)o->kind);
    if (o->features < 1 || o->features > MODEL_MAX_FEATURES)
        return fail(err, STATUS_INVALID, "features must be 1 to %d, not %zu",
                    MODEL_MAX_FEATURES, o->features);
    if (o->interval_ms < 0)
        return fail(err, STATUS_INVALID, "interval_ms must not be negative: %lld",
                    (long long)o->interval_ms);
    return model_class_of(o->kind)->check(o, err);
}

enum status model_new(const struct model_options *options, struct model **out,
                      struct error *err) {
    *out = NULL;
    enum status status = check_common(options, err);
    if (status != STATUS_OK) return status;
    const struct model_class *class = model_class_of(options->kind);
    status = class->create(options, out, err);
    if (status != STATUS_OK) return status;
    (*out)->class = class;
    (*out)->options = *options;
    (*out)->rows = 0;
    return STATUS_OK;
}

void model_free(struct model *m) {
    if (m) m->class->destroy(m);
}

static void fill(double *values, size_t count, double value) {
    for (size_t i = 0; values && i < count; i++)
        values[i] = value;
}

// A verdict that says nothing; its arrays stay the caller's.
static void verdict_reset(struct verdict *v, size_t features) {
    *v = (struct verdict){.score = NAN,
                          .grade = 0,
                          .confidence = NAN,
                          .threshold = NAN,
                          .probability = NAN,
                          .expected = v->expected,
                          .lower = v->lower,
                          .upper = v->upper,
                          .contribution = v->contribution,
                          .past = v->past,
                          .imputed = v->imputed,
                          .used = v->used};
    fill(v->expected, features, NAN);
    fill(v->lower, features, NAN);
    fill(v->upper, features, NAN);
    fill(v->contribution, features, NAN);
    fill(v->past, features, NAN);
    if (v->imputed) memset(v->imputed, 0, features);
}

enum status model_push(struct model *m, int64_t time_ms, const double *values,
                       struct verdict *out, struct error *err) {
    for (size_t i = 0; i < m->options.features; i++)
        if (isinf(values[i])) return fail(err, STATUS_INVALID, "feature %zu is infinite", i);
    verdict_reset(out, m->options.features);
    if (out->used) memcpy(out->used, values, m->options.features * sizeof *values);
    enum status status = m->class->push(m, time_ms, values, out, err);
    if (status == STATUS_OK) m->rows++;
    return status;
}

static void pack_options(struct pack *p, const struct model_options *o) {
    pack_u64(p, (uint64_t)o->interval_ms);
    pack_u64(p, o->seed);
    pack_u64(p, o->shingle);
    pack_u64(p, o->trees);
    pack_u64(p, o->samples);
    pack_f64(p, o->time_decay);
    pack_u64(p, o->output_after);
    pack_f64(p, o->initial_accept);
    pack_f64(p, o->z_factor);
    pack_f64(p, o->anomaly_rate);
    pack_u8(p, o->auto_adjust);
    pack_u8(p, o->alert_once);
    pack_u8(p, (uint8_t)o->transform);
    pack_u8(p, (uint8_t)o->impute);
    pack_bytes(p, o->fixed, o->features * sizeof *o->fixed);
    pack_bytes(p, o->ignore, o->features * sizeof *o->ignore);
    pack_f64(p, o->sensitivity);
    pack_u64(p, o->history);
}

static void unpack_options(struct unpack *u, struct model_options *o) {
    o->interval_ms = (int64_t)unpack_u64(u);
    o->seed = unpack_u64(u);
    o->shingle = (size_t)unpack_u64(u);
    o->trees = (size_t)unpack_u64(u);
    o->samples = (size_t)unpack_u64(u);
    o->time_decay = unpack_f64(u);
    o->output_after = (size_t)unpack_u64(u);
    o->initial_accept = unpack_f64(u);
    o->z_factor = unpack_f64(u);
    o->anomaly_rate = unpack_f64(u);
    o->auto_adjust = unpack_u8(u) != 0;
    o->alert_once = unpack_u8(u) != 0;
    o->transform = unpack_u8(u);
    o->impute = unpack_u8(u);
    unpack_bytes(u, o->fixed, o->features * sizeof *o->fixed);
    unpack_bytes(u, o->ignore, o->features * sizeof *o->ignore);
    o->sensitivity = unpack_f64(u);
    o->history = (size_t)unpack_u64(u);
}

enum status model_save(const struct model *m, uint8_t *bytes, size_t capacity, size_t *size,
                       struct error *err) {
    struct pack p = {.bytes = bytes, .capacity = capacity};
    pack_u32(&p, MAGIC);
    pack_u32(&p, FORMAT);
    pack_u32(&p, (uint32_t)m->options.kind);
    pack_u32(&p, (uint32_t)m->options.features);
    pack_options(&p, &m->options);
    pack_u64(&p, m->rows);
    m->class->save(m, &p);
    *size = p.size + sizeof(uint64_t);
    if (!bytes || *size > capacity)
        return fail(err, STATUS_TOO_LARGE, "a saved model needs %zu bytes", *size);
    pack_u64(&p, pack_checksum(bytes, p.size));
    return STATUS_OK;
}

// Reads up to the state; `u` then stands at its first byte and ends before the checksum.
static enum status unpack_head(struct unpack *u, struct model_options *options, uint64_t *rows,
                               struct error *err) {
    if (u->size < 2 * sizeof(uint64_t))
        return fail(err, STATUS_INVALID, "%zu bytes are too few for a saved model", u->size);
    u->size -= sizeof(uint64_t);
    uint64_t checksum;
    memcpy(&checksum, u->bytes + u->size, sizeof checksum);
    if (unpack_u32(u) != MAGIC) return fail(err, STATUS_INVALID, "these bytes are no model");
    uint32_t format = unpack_u32(u);
    if (format != FORMAT)
        return fail(err, STATUS_INVALID, "the saved model has format %u, not %u", format,
                    FORMAT);
    if (checksum != pack_checksum(u->bytes, u->size))
        return fail(err, STATUS_INVALID, "the saved model is damaged: its checksum differs");
    uint32_t kind = unpack_u32(u), features = unpack_u32(u);
    if (kind >= class_count || features < 1 || features > MODEL_MAX_FEATURES)
        return fail(err, STATUS_INVALID, "the saved model has kind %u and %u features", kind,
                    features);
    *options = (struct model_options){.kind = kind, .features = features};
    unpack_options(u, options);
    *rows = unpack_u64(u);
    return u->failed ? fail(err, STATUS_INVALID, "the saved model ends early") : STATUS_OK;
}

enum status model_load(const uint8_t *bytes, size_t size, struct model **out,
                       struct error *err) {
    *out = NULL;
    struct unpack u = {.bytes = bytes, .size = size};
    struct model_options options = {0};
    uint64_t rows = 0;
    enum status status = unpack_head(&u, &options, &rows, err);
    if (status == STATUS_OK) status = model_new(&options, out, err);
    if (status != STATUS_OK) return status;
    (*out)->rows = rows;
    status = (*out)->class->load(*out, &u, err);
    if (status == STATUS_OK && (u.failed || unpack_left(&u) > 0))
        status = fail(err, STATUS_INVALID, "the saved model has the wrong length");
    if (status != STATUS_OK) {
        model_free(*out);
        *out = NULL;
    }
    return status;
}

size_t model_size_bytes(const struct model *m) { return m->class->size_bytes(m); }
uint64_t model_rows(const struct model *m) { return m->rows; }
const struct model_options *model_options(const struct model *m) { return &m->options; }
