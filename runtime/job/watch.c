/* job/watch.c - see watch.h. */
#include "job/watch.h"

#include <stdlib.h>
#include <string.h>

void watch_init(struct watch *w, const struct detector *d, int64_t bucket_span_s) {
    *w = (struct watch){.detector = d, .bucket_span_s = bucket_span_s};
    w->feature_count = detector_features(d, w->features);
}

void watch_clear(struct watch *w) {
    for (size_t f = 0; f < w->feature_count; f++) {
        for (size_t i = 0; i < w->capacity; i++)
            series_free(w->series[f][i]);
        free(w->series[f]);
        w->series[f] = NULL;
    }
    w->capacity = w->count = w->bytes = 0;
}

enum status watch_reserve(struct watch *w, size_t models, struct error *err) {
    if (models <= w->capacity) return STATUS_OK;
    size_t capacity = w->capacity ? w->capacity : 16;
    while (capacity < models)
        capacity *= 2;
    for (size_t f = 0; f < w->feature_count; f++) {
        struct series **grown = realloc(w->series[f], capacity * sizeof *grown);
        if (!grown) return fail(err, STATUS_NO_MEMORY, "no memory for %zu models", models);
        memset(grown + w->capacity, 0, (capacity - w->capacity) * sizeof *grown);
        w->series[f] = grown;
    }
    w->capacity = capacity;
    return STATUS_OK;
}

static enum tail watched(enum detector_side side) {
    return side == SIDE_LOW ? TAIL_BELOW : side == SIDE_HIGH ? TAIL_ABOVE : TAIL_BOTH;
}

static bool counts(enum statistic s) {
    return s == STATISTIC_COUNT || s == STATISTIC_DISTINCT || s == STATISTIC_INFO;
}

static struct series *make(const struct watch *w, size_t feature) {
    const struct feature *f = &w->features[feature];
    return series_new(&(struct series_options){
        .bucket_span_s = w->bucket_span_s,
        .watched = watched(f->side),
        .count = counts(f->statistic),
        .non_negative = counts(f->statistic) || f->statistic == STATISTIC_VARIANCE,
        .population = w->detector->over != NULL,
    });
}

struct series *watch_get(struct watch *w, size_t feature, uint32_t model) {
    struct series **place = &w->series[feature][model];
    if (*place) return *place;
    *place = make(w, feature);
    if (!*place) return NULL;
    w->count++;
    w->bytes += series_bytes(*place);
    return *place;
}

void watch_forget(struct watch *w, uint32_t model) {
    if (model >= w->capacity) return;
    for (size_t f = 0; f < w->feature_count; f++) {
        struct series *s = w->series[f][model];
        if (!s) continue;
        w->bytes -= series_bytes(s);
        w->count--;
        series_free(s);
        w->series[f][model] = NULL;
    }
}

size_t watch_series_bytes(const struct watch *w) {
    return w->count ? w->feature_count * (w->bytes / w->count) : w->feature_count * 4096;
}

// --- saving
// --------------------------------------------------------------------------------------

static void save_feature(const struct watch *w, size_t feature, struct pack *p) {
    uint32_t count = 0;
    for (size_t i = 0; i < w->capacity; i++)
        count += w->series[feature][i] != NULL;
    pack_u32(p, count);
    for (size_t i = 0; i < w->capacity; i++) {
        if (!w->series[feature][i]) continue;
        pack_u32(p, (uint32_t)i);
        series_save(w->series[feature][i], p);
    }
}

void watch_save(const struct watch *w, struct pack *p) {
    for (size_t f = 0; f < w->feature_count; f++)
        save_feature(w, f, p);
}

static enum status load_one(struct watch *w, size_t feature, size_t models, struct unpack *u,
                            struct error *err) {
    uint32_t model = unpack_u32(u);
    if (u->failed || model >= models || w->series[feature][model])
        return fail(err, STATUS_INVALID, "a saved job names model %u of %zu", model, models);
    enum status status = series_load(u, &w->series[feature][model], err);
    if (status != STATUS_OK) return status;
    w->count++;
    w->bytes += series_bytes(w->series[feature][model]);
    return STATUS_OK;
}

enum status watch_load(struct watch *w, size_t models, struct unpack *u, struct error *err) {
    enum status status = watch_reserve(w, models, err);
    for (size_t f = 0; f < w->feature_count && status == STATUS_OK; f++) {
        uint32_t count = unpack_u32(u);
        for (uint32_t i = 0; i < count && status == STATUS_OK; i++)
            status = load_one(w, f, models, u, err);
    }
    return status;
}
