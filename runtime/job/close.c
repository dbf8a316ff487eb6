/* job/close.c - see close.h. */
#include "job/close.h"

#include "job/output.h"
#include <math.h>

// Interim documents go when the next bucket, interim or final, is written.
void job_forget_interim(struct job *job) {
    struct output o = {.analysis = job->analysis, .lines = &job->results};
    output_delete(&o, &job->interim_ids);
    bytes_clear(&job->interim_ids);
}

static void begin(struct job *job, struct gather_bucket *bucket, bool interim) {
    const char *event;
    job->started_ns = time_monotonic_ns();
    job->bucket = bucket;
    job->bucket_s = gather_bucket_start_s(bucket);
    job->interim = interim;
    job->ageless = rulebook_events(job->rules, job->bucket_s, &event, 1) > 0;
    job->completeness = interim ? job_completeness(job) : 1;
}

enum status job_close(struct job *job, struct gather_bucket *bucket, bool interim,
                      struct error *err) {
    begin(job, bucket, interim);
    if (!interim) job_forget_interim(job);
    enum status status = job_collect(job, err);
    if (status == STATUS_OK && !interim) status = job_shift_times(job, err);
    if (status == STATUS_OK) status = job_judge(job, err);
    if (status == STATUS_OK) status = job_raise(job, err);
    if (status == STATUS_OK) status = job_write(job, err);
    if (status != STATUS_OK || interim) return status;
    job_learn_events(job);
    job->scores_changed |= tree_scores_changed(job->tree);
    return STATUS_OK;
}
