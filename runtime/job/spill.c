/* job/spill.c - see spill.h. */
#include "job/spill.h"

#include "job/close.h"
#include <stdlib.h>
#include <string.h>

#define SPILL_ABOVE 0.8  // of what may be used
#define SPILL_DOWN_TO 0.7

// --- the list of one detector ----------------------------------------------------------------

static int compare(const struct spilled *s, uint32_t feature, uint32_t model) {
    if (s->feature != feature) return s->feature < feature ? -1 : 1;
    return s->model < model ? -1 : s->model > model;
}

// Where a series is, or would be.
static size_t place_of(const struct spill *s, uint32_t feature, uint32_t model) {
    size_t low = 0, high = s->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(&s->at[middle], feature, model) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct spilled *spill_find(const struct spill *s, uint32_t feature, uint32_t model) {
    size_t place = place_of(s, feature, model);
    bool found = place < s->count && compare(&s->at[place], feature, model) == 0;
    return found ? &s->at[place] : NULL;
}

enum status spill_add(struct spill *s, const struct spilled *added, struct error *err) {
    if (s->count == s->capacity) {
        size_t capacity = s->capacity ? 2 * s->capacity : 64;
        struct spilled *grown = realloc(s->at, capacity * sizeof *grown);
        if (!grown) return fail(err, STATUS_NO_MEMORY, "no memory for a spilled series");
        s->at = grown;
        s->capacity = capacity;
    }
    size_t place = place_of(s, added->feature, added->model);
    memmove(&s->at[place + 1], &s->at[place], (s->count - place) * sizeof *s->at);
    s->at[place] = *added;
    s->count++;
    return STATUS_OK;
}

void spill_remove(struct spill *s, struct spilled *entry) {
    size_t place = (size_t)(entry - s->at);
    s->count--;
    memmove(entry, entry + 1, (s->count - place) * sizeof *s->at);
}

void spill_clear(struct spill *s) {
    free(s->at);
    *s = (struct spill){0};
}

void spill_save(const struct spill *s, struct pack *p) {
    pack_u32(p, (uint32_t)s->count);
    for (size_t i = 0; i < s->count; i++) {
        pack_u32(p, s->at[i].feature);
        pack_u32(p, s->at[i].model);
        pack_u64(p, s->at[i].number);
    }
}

enum status spill_load(struct spill *s, size_t features, size_t most, struct unpack *u,
                       struct error *err) {
    uint32_t count = unpack_u32(u);
    for (uint32_t i = 0; i < count; i++) {
        struct spilled one;
        one.feature = unpack_u32(u);
        one.model = unpack_u32(u);
        one.number = unpack_u64(u);
        if (u->failed || one.feature >= features || one.model >= most ||
            spill_find(s, one.feature, one.model))
            return fail(err, STATUS_INVALID, "a saved job has no such spilled series");
        enum status status = spill_add(s, &one, err);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

// --- out -------------------------------------------------------------------------------------

/* A series that nothing was seen of in the last bucket. */
struct cold {
    int64_t last_s;
    uint32_t detector, feature, model;
};

LIST(cold_list, struct cold)

static int by_age(const void *a, const void *b) {
    const struct cold *x = a, *y = b;
    if (x->last_s != y->last_s) return x->last_s < y->last_s ? -1 : 1;
    if (x->detector != y->detector) return x->detector < y->detector ? -1 : 1;
    if (x->feature != y->feature) return x->feature < y->feature ? -1 : 1;
    return x->model < y->model ? -1 : x->model > y->model;
}

static bool list_cold(const struct job *job, struct cold_list *list) {
    for (uint32_t d = 0; d < job->analysis->detector_count; d++) {
        const struct watch *w = &job->watches[d];
        for (uint32_t f = 0; f < w->feature_count; f++)
            for (uint32_t m = 0; m < w->capacity; m++) {
                int64_t last_s;
                if (!watch_last_s(w, f, m, &last_s) || last_s >= job->bucket_s) continue;
                struct cold *cold = cold_list_add(list);
                if (!cold) return false;
                *cold = (struct cold){last_s, d, f, m};
            }
    }
    if (list->count) qsort(list->at, list->count, sizeof *list->at, by_age);
    return true;
}

static enum status put(struct job *job, const struct cold *cold, struct error *err) {
    const struct watch *w = &job->watches[cold->detector];
    struct pack p = {0};
    watch_save_model(w, cold->feature, cold->model, &p);
    struct bytes bytes = {0};
    char *room = bytes_reserve(&bytes, p.size);
    if (!room) return fail(err, STATUS_NO_MEMORY, "no memory for a series to spill");
    p = (struct pack){.bytes = (uint8_t *)room, .capacity = p.size};
    watch_save_model(w, cold->feature, cold->model, &p);
    bytes.size = p.size;
    enum status status =
        job->keeper->put(job->keeper->context, job->spill_number + 1, &bytes, err);
    bytes_free(&bytes);
    return status;
}

static enum status spill_one(struct job *job, const struct cold *cold, struct error *err) {
    struct watch *w = &job->watches[cold->detector];
    enum status status = put(job, cold, err);
    struct spilled entry = {cold->feature, cold->model, job->spill_number + 1};
    if (status == STATUS_OK) status = spill_add(&w->spill, &entry, err);
    if (status != STATUS_OK) return status;
    job->spill_number++;
    watch_forget_model(w, cold->feature, cold->model);
    return STATUS_OK;
}

enum status job_spill(struct job *job, uint64_t *used_bytes, struct error *err) {
    double limit = limit_allowed(&job->limit, job->bucket_s);
    bool wanted = job->keeper && job->options.spill && job->options.memory_limit_bytes > 0;
    if (!wanted || (double)*used_bytes <= SPILL_ABOVE * limit) return STATUS_OK;
    struct cold_list list = {0};
    enum status status = STATUS_OK;
    if (!list_cold(job, &list)) status = fail(err, STATUS_NO_MEMORY, "no memory to spill");
    for (size_t i = 0; i < list.count && status == STATUS_OK; i++) {
        if ((double)*used_bytes <= SPILL_DOWN_TO * limit) break;
        const struct watch *w = &job->watches[list.at[i].detector];
        uint64_t before = w->bytes;
        status = spill_one(job, &list.at[i], err);
        *used_bytes -= before - w->bytes;
    }
    free(list.at);
    return status;
}

// --- and back --------------------------------------------------------------------------------

static enum status release(struct job *job, uint64_t number, struct error *err) {
    uint64_t *place = number_list_add(&job->released);
    if (!place) return fail(err, STATUS_NO_MEMORY, "no memory for a spilled series");
    *place = number;
    return STATUS_OK;
}

static enum status get(struct job *job, struct watch *w, const struct spilled *entry,
                       struct error *err) {
    if (!job->keeper)
        return fail(err, STATUS_FAILED, "series %llu was spilled and nobody has it",
                    (unsigned long long)entry->number);
    struct bytes bytes = {0};
    enum status status = job->keeper->get(job->keeper->context, entry->number, &bytes, err);
    struct unpack u = {.bytes = (const uint8_t *)bytes.data, .size = bytes.size};
    if (status == STATUS_OK)
        status = watch_load_model(w, entry->feature, entry->model, &u, err);
    bytes_free(&bytes);
    return status;
}

enum status job_unspill(struct job *job, const struct job_group *g, struct error *err) {
    struct watch *w = &job->watches[g->detector];
    struct spilled *entry =
        w->spill.count > 0 ? spill_find(&w->spill, g->feature, g->model) : NULL;
    if (!entry) return STATUS_OK;
    enum status status = get(job, w, entry, err);
    if (status != STATUS_OK) return status;
    status = release(job, entry->number, err);
    spill_remove(&w->spill, entry);
    return status;
}

void job_forget_spilled(struct job *job, size_t detector, uint32_t model) {
    struct watch *w = &job->watches[detector];
    for (uint32_t f = 0; f < w->feature_count; f++) {
        struct spilled *entry = spill_find(&w->spill, f, model);
        if (!entry) continue;
        release(job, entry->number, NULL);  // at worst it stays with the keeper
        spill_remove(&w->spill, entry);
    }
}

void job_keep(struct job *job, const struct job_keeper *keeper) { job->keeper = keeper; }

const uint64_t *job_take_released(struct job *job, size_t *count) {
    *count = job->released.count;
    job->released.count = 0;
    return job->released.at;
}
