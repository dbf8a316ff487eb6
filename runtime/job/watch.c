/* job/watch.c - see watch.h. */
#include "job/watch.h"

#include <stdlib.h>
#include <string.h>

#define VALUE_BYTES 64  // what a rare value or a person adds to a model that many share

void watch_init(struct watch *w, const struct detector *d, int64_t bucket_span_s) {
    *w = (struct watch){.detector = d, .bucket_span_s = bucket_span_s};
    w->feature_count = detector_features(d, w->features);
}

static void forget_population(struct watch *w, size_t model) {
    if (!w->populations || !w->populations[model]) return;
    free(w->populations[model]);
    w->populations[model] = NULL;
    w->bytes -= sizeof(struct population);
}

static void forget(struct watch *w, size_t feature, size_t model) {
    struct series *s = w->series[feature][model];
    struct kind *k = w->kinds[feature][model];
    if (!s && !k) return;
    w->bytes -= s ? series_bytes(s) : sizeof *k;
    w->count--;
    series_free(s);
    free(k);
    w->series[feature][model] = NULL;
    w->kinds[feature][model] = NULL;
}

void watch_clear(struct watch *w) {
    for (size_t i = 0; i < w->capacity; i++)
        forget_population(w, i);
    free(w->populations);
    w->populations = NULL;
    for (size_t f = 0; f < w->feature_count; f++) {
        for (size_t i = 0; i < w->capacity; i++)
            forget(w, f, i);
        free(w->series[f]);
        free(w->kinds[f]);
        w->series[f] = NULL;
        w->kinds[f] = NULL;
    }
    rarity_clear(&w->rarity);
    spill_clear(&w->spill);
    w->capacity = w->count = w->bytes = 0;
}

/* Places from..to of pointers, none of them taken. */
static bool grow(void *array, size_t from, size_t to) {
    void **old, **grown;
    memcpy(&old, array, sizeof old);
    grown = realloc(old, to * sizeof *grown);
    if (!grown) return false;
    memset(grown + from, 0, (to - from) * sizeof *grown);
    memcpy(array, &grown, sizeof grown);
    return true;
}

enum status watch_reserve(struct watch *w, size_t models, struct error *err) {
    if (models <= w->capacity) return STATUS_OK;
    size_t capacity = w->capacity ? w->capacity : 16;
    while (capacity < models)
        capacity *= 2;
    for (size_t f = 0; f < w->feature_count; f++)
        if (!grow(&w->series[f], w->capacity, capacity) ||
            !grow(&w->kinds[f], w->capacity, capacity))
            return fail(err, STATUS_NO_MEMORY, "no memory for %zu models", models);
    if (w->detector->over && !grow(&w->populations, w->capacity, capacity))
        return fail(err, STATUS_NO_MEMORY, "no memory for %zu populations", models);
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

bool watch_make(struct watch *w, size_t feature, uint32_t model) {
    const struct feature *f = &w->features[feature];
    if (f->statistic == STATISTIC_INDICATOR) return true;  // see rarity.h
    if (w->series[feature][model] || w->kinds[feature][model]) return true;
    struct series *s = kind_has(f) ? NULL : make(w, feature);
    struct kind *k = kind_has(f) ? kind_new(f) : NULL;
    if (!s && !k) return false;
    w->series[feature][model] = s;
    w->kinds[feature][model] = k;
    w->count++;
    w->bytes += s ? series_bytes(s) : sizeof *k;
    return true;
}

struct population *watch_population(struct watch *w, uint32_t model) {
    struct population **place = &w->populations[model];
    if (*place) return *place;
    *place = calloc(1, sizeof **place);
    if (*place) w->bytes += sizeof **place;
    return *place;
}

void watch_forget_model(struct watch *w, size_t feature, uint32_t model) {
    forget(w, feature, model);
}

void watch_forget(struct watch *w, uint32_t model) {
    if (model >= w->capacity) return;
    forget_population(w, model);
    for (size_t f = 0; f < w->feature_count; f++)
        forget(w, f, model);
}

size_t watch_series_bytes(const struct watch *w) {
    const struct detector *d = w->detector;
    bool shared = d->over && !d->by && !d->partition;  // one more person, no more models
    if (shared || w->features[0].statistic == STATISTIC_INDICATOR) return VALUE_BYTES;
    return w->count ? w->feature_count * (w->bytes / w->count) : w->feature_count * 4096;
}

// --- saving ---------------------------------------------------------------------------------

static bool has(const struct watch *w, size_t feature, size_t model) {
    return w->series[feature][model] || w->kinds[feature][model];
}

bool watch_last_s(const struct watch *w, size_t feature, uint32_t model, int64_t *last_s) {
    if (!has(w, feature, model)) return false;
    const struct series *s = w->series[feature][model];
    *last_s = s ? series_last_s(s) : w->kinds[feature][model]->last_s;
    return true;
}

void watch_save_model(const struct watch *w, size_t feature, uint32_t model, struct pack *p) {
    const struct series *s = w->series[feature][model];
    if (s)
        series_save(s, p);
    else
        kind_save(w->kinds[feature][model], p);
}

enum status watch_load_model(struct watch *w, size_t feature, uint32_t model, struct unpack *u,
                             struct error *err) {
    const struct feature *f = &w->features[feature];
    struct series **series = &w->series[feature][model];
    enum status status = kind_has(f) ? kind_load(f, u, &w->kinds[feature][model], err)
                                     : series_load(u, series, err);
    if (status != STATUS_OK) return status;
    w->count++;
    w->bytes += *series ? series_bytes(*series) : sizeof(struct kind);
    return STATUS_OK;
}

static void save_feature(const struct watch *w, size_t feature, struct pack *p) {
    uint32_t count = 0;
    for (size_t i = 0; i < w->capacity; i++)
        count += has(w, feature, i);
    pack_u32(p, count);
    for (size_t i = 0; i < w->capacity; i++) {
        if (!has(w, feature, i)) continue;
        pack_u32(p, (uint32_t)i);
        watch_save_model(w, feature, (uint32_t)i, p);
    }
}

static void save_populations(const struct watch *w, struct pack *p) {
    uint32_t count = 0;
    for (size_t i = 0; w->populations && i < w->capacity; i++)
        count += w->populations[i] != NULL;
    pack_u32(p, count);
    for (size_t i = 0; w->populations && i < w->capacity; i++) {
        if (!w->populations[i]) continue;
        pack_u32(p, (uint32_t)i);
        population_save(w->populations[i], p);
    }
}

void watch_save(const struct watch *w, struct pack *p) {
    for (size_t f = 0; f < w->feature_count; f++)
        save_feature(w, f, p);
    save_populations(w, p);
    rarity_save(&w->rarity, p);
    spill_save(&w->spill, p);
}

static enum status load_one(struct watch *w, size_t feature, size_t models, struct unpack *u,
                            struct error *err) {
    uint32_t model = unpack_u32(u);
    if (u->failed || model >= models || has(w, feature, model))
        return fail(err, STATUS_INVALID, "a saved job names model %u of %zu", model, models);
    return watch_load_model(w, feature, model, u, err);
}

static enum status load_populations(struct watch *w, size_t models, struct unpack *u,
                                    struct error *err) {
    uint32_t count = unpack_u32(u);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t model = unpack_u32(u);
        if (u->failed || !w->populations || model >= models || w->populations[model])
            return fail(err, STATUS_INVALID, "a saved job names population %u", model);
        struct population *p = watch_population(w, model);
        if (!p) return fail(err, STATUS_NO_MEMORY, "no memory for a population");
        enum status status = population_load(p, u, err);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

enum status watch_load(struct watch *w, size_t models, struct unpack *u, struct error *err) {
    enum status status = watch_reserve(w, models, err);
    for (size_t f = 0; f < w->feature_count && status == STATUS_OK; f++) {
        uint32_t count = unpack_u32(u);
        for (uint32_t i = 0; i < count && status == STATUS_OK; i++)
            status = load_one(w, f, models, u, err);
    }
    if (status == STATUS_OK) status = load_populations(w, models, u, err);
    if (status == STATUS_OK) status = rarity_load(&w->rarity, u, err);
    if (status == STATUS_OK) status = spill_load(&w->spill, w->feature_count, models, u, err);
    return status;
}
