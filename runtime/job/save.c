/* job/save.c - a job as bytes:
 *     "BLIPJOB1"  hash of the analysis  gather  models per detector  tree  limit  events
 *     ids of interim documents  checksum of all before
 * The hash keeps a job from being loaded into another analysis, where its numbers would mean
 * something else. */
#include "job/close.h"

#include <math.h>

static const char MAGIC[8] = {'B', 'L', 'I', 'P', 'J', 'O', 'B', '1'};

static void pack_text(struct pack *p, const char *text) {
    pack_u32(p, text ? (uint32_t)strlen(text) : UINT32_MAX);
    if (text) pack_bytes(p, text, strlen(text));
}

static void pack_analysis(const struct analysis *a, struct pack *p) {
    pack_u64(p, (uint64_t)a->bucket_span_s);
    pack_u64(p, (uint64_t)a->latency_s);
    pack_text(p, a->summary_count_field);
    for (size_t i = 0; i < a->influencer_count; i++)
        pack_text(p, a->influencers[i]);
    for (size_t i = 0; i < a->detector_count; i++) {
        const struct detector *d = &a->detectors[i];
        pack_text(p, d->name);
        pack_text(p, d->field);
        pack_text(p, d->by);
        pack_text(p, d->over);
        pack_text(p, d->partition);
        pack_u8(p, d->use_null);
    }
}

// 0 when memory runs out.
static uint64_t analysis_hash(const struct analysis *a) {
    struct pack p = {0};
    pack_analysis(a, &p);
    uint8_t *bytes = malloc(p.size);
    if (!bytes) return 0;
    p = (struct pack){.bytes = bytes, .capacity = p.size};
    pack_analysis(a, &p);
    uint64_t hash = pack_checksum(bytes, p.size);
    free(bytes);
    return hash;
}

static void save_shifts(const struct job *job, struct pack *p) {
    pack_u32(p, (uint32_t)job->shifts.count);
    for (size_t i = 0; i < job->shifts.count; i++) {
        pack_u64(p, job->shifts.at[i].rule);
        pack_u32(p, job->shifts.at[i].detector);
        pack_u32(p, job->shifts.at[i].feature);
        pack_u32(p, job->shifts.at[i].model);
    }
}

static enum status load_shifts(struct job *job, struct unpack *u, struct error *err) {
    uint32_t count = unpack_u32(u);
    for (uint32_t i = 0; i < count && !u->failed; i++) {
        struct job_shift *shift = shift_list_add(&job->shifts);
        if (!shift) return fail(err, STATUS_NO_MEMORY, "no memory for a saved job");
        shift->rule = unpack_u64(u);
        shift->detector = unpack_u32(u);
        shift->feature = unpack_u32(u);
        shift->model = unpack_u32(u);
    }
    return STATUS_OK;
}

void job_save(const struct job *job, struct pack *p) {
    size_t start = p->size;
    pack_bytes(p, MAGIC, sizeof MAGIC);
    pack_u64(p, analysis_hash(job->analysis));
    gather_save(job->gather, p);
    for (size_t d = 0; d < job->analysis->detector_count; d++)
        watch_save(&job->watches[d], p);
    tree_save(job->tree, p);
    limit_save(&job->limit, p);
    decomposition_save(job->events, p);
    pack_f64(p, job->events_error);
    pack_f64(p, job->events_seen);
    save_shifts(job, p);
    pack_u64(p, job->spill_number);
    pack_u64(p, job->interim_ids.size);
    pack_bytes(p, job->interim_ids.data, job->interim_ids.size);
    bool written = p->bytes && p->size <= p->capacity;
    pack_u64(p, written ? pack_checksum(p->bytes + start, p->size - start) : 0);
}

static enum status check_frame(const struct job *job, const uint8_t *bytes, size_t size,
                               struct error *err) {
    struct unpack tail = {.bytes = bytes, .size = size, .at = size < 8 ? size : size - 8};
    if (size < sizeof MAGIC + 16 || memcmp(bytes, MAGIC, sizeof MAGIC) != 0)
        return fail(err, STATUS_INVALID, "%zu bytes that are no saved job", size);
    if (unpack_u64(&tail) != pack_checksum(bytes, size - 8))
        return fail(err, STATUS_INVALID, "a saved job of %zu bytes is damaged", size);
    struct unpack head = {.bytes = bytes, .size = size, .at = sizeof MAGIC};
    if (unpack_u64(&head) != analysis_hash(job->analysis))
        return fail(err, STATUS_INVALID, "a saved job of another configuration");
    return STATUS_OK;
}

static enum status load_interim_ids(struct job *job, struct unpack *u, struct error *err) {
    uint64_t size = unpack_u64(u);
    if (u->failed || size > unpack_left(u))
        return fail(err, STATUS_INVALID, "a saved job ends within its ids");
    char *place = bytes_reserve(&job->interim_ids, size);
    if (!place) return fail(err, STATUS_NO_MEMORY, "no memory for ids");
    unpack_bytes(u, place, size);
    job->interim_ids.size += size;
    if (size > 0 && place[size - 1] != '\0')
        return fail(err, STATUS_INVALID, "a saved job has an id without an end");
    return STATUS_OK;
}

static enum status load_events(struct job *job, struct unpack *u, struct error *err) {
    struct decomposition *events;
    enum status status = decomposition_load(u, &events, err);
    if (status != STATUS_OK) return status;
    decomposition_free(job->events);
    job->events = events;
    job->events_error = unpack_f64(u);
    job->events_seen = unpack_f64(u);
    if (!isfinite(job->events_error) || !(job->events_seen >= 0)) u->failed = true;
    return STATUS_OK;
}

static enum status load_parts(struct job *job, struct unpack *u, struct error *err) {
    enum status status = gather_load(job->gather, u, err);
    for (size_t d = 0; d < job->analysis->detector_count && status == STATUS_OK; d++)
        status = watch_load(&job->watches[d], gather_models(job->gather, d), u, err);
    if (status == STATUS_OK) status = tree_load(job->tree, u, err);
    if (status == STATUS_OK) limit_load(&job->limit, u);
    if (status == STATUS_OK) status = load_events(job, u, err);
    if (status == STATUS_OK) status = load_shifts(job, u, err);
    if (status == STATUS_OK) job->spill_number = unpack_u64(u);
    if (status == STATUS_OK) status = load_interim_ids(job, u, err);
    if (status == STATUS_OK && (u->failed || unpack_left(u) != 0))
        return fail(err, STATUS_INVALID, "a saved job has other parts than it should");
    return status;
}

enum status job_load(struct analysis *a, const struct job_options *options,
                     const uint8_t *bytes, size_t size, struct job **out, struct error *err) {
    struct job *job;
    enum status status = job_new(a, options, &job, err);
    if (status != STATUS_OK) return status;
    status = check_frame(job, bytes, size, err);
    struct unpack u = {.bytes = bytes, .size = size - 8, .at = sizeof MAGIC + 8};
    if (status == STATUS_OK) status = load_parts(job, &u, err);
    if (status != STATUS_OK) {
        job_free(job);
        return status;
    }
    *out = job;
    return STATUS_OK;
}
