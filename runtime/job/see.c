/* job/see.c - how many values of each influencer field a bucket had: those that nothing is said
 * of were calm, and the normalisers learn that too (tree_see). */
#include "job/close.h"

static enum status no_memory(struct error *err) {
    return fail(err, STATUS_NO_MEMORY, "no memory for the influencers of a bucket");
}

static enum status note(struct job *job, uint32_t field, uint32_t value, struct error *err) {
    uint64_t *seen = seen_list_add(&job->seen);
    if (!seen) return no_memory(err);
    *seen = (uint64_t)field << 32 | value;
    return STATUS_OK;
}

/* Which of a detector's own fields are influencers, in the order partition, by, over. */
static void own_fields(const struct job *job, uint32_t detector, bool own[3], uint32_t at[3]) {
    const struct detector *d = &job->analysis->detectors[detector];
    const char *names[] = {d->partition, d->by, d->over};
    for (size_t k = 0; k < 3; k++) {
        own[k] = false;
        for (uint32_t i = 0; names[k] && i < job->analysis->influencer_count; i++)
            if (strcmp(names[k], job->analysis->influencers[i]) == 0) own[k] = true, at[k] = i;
    }
}

static enum status note_cell(struct job *job, uint32_t detector, uint32_t cell,
                             const bool own[3], const uint32_t at[3], struct error *err) {
    const struct gather_cell *c = gather_cell(job->gather, detector, cell);
    const uint32_t values[] = {c->partition, c->by, c->over};
    enum status status = STATUS_OK;
    for (size_t k = 0; k < 3 && status == STATUS_OK; k++)
        if (own[k]) status = note(job, at[k], values[k], err);
    const struct tally *tally = gather_tally(job->bucket, detector, cell);
    uint32_t next = tally ? tally->slices : TALLY_NONE;
    while (next != TALLY_NONE && status == STATUS_OK) {
        const struct gather_slice *slice = gather_slice(job->bucket, detector, next);
        status = note(job, slice->influencer, slice->value, err);
        next = slice->next;
    }
    return status;
}

static enum status note_detector(struct job *job, uint32_t detector, struct error *err) {
    bool own[3];
    uint32_t at[3];
    size_t count;
    own_fields(job, detector, own, at);
    const uint32_t *cells = gather_touched(job->bucket, detector, &count);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = note_cell(job, detector, cells[i], own, at, err);
    return status;
}

static int by_number(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Tells the tree how many different values each field has; fields without any have one. */
static enum status tell(struct job *job, struct error *err) {
    const uint64_t *seen = job->seen.at;
    size_t count = job->seen.count;
    for (size_t from = 0; from < count;) {
        uint32_t field = (uint32_t)(seen[from] >> 32);
        size_t values = 0, i = from;
        for (; i < count && seen[i] >> 32 == field; i++)
            values += i == from || seen[i] != seen[i - 1];
        enum status status = tree_see(job->tree, field, values, err);
        if (status != STATUS_OK) return status;
        from = i;
    }
    return STATUS_OK;
}

enum status job_see(struct job *job, struct error *err) {
    job->seen.count = 0;
    if (job->interim || job->analysis->influencer_count == 0) return STATUS_OK;
    enum status status = STATUS_OK;
    for (uint32_t d = 0; d < job->analysis->detector_count && status == STATUS_OK; d++)
        status = note_detector(job, d, err);
    if (status != STATUS_OK || job->seen.count == 0) return status;
    qsort(job->seen.at, job->seen.count, sizeof *job->seen.at, by_number);
    return tell(job, err);
}
