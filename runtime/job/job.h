/* job/job.h - an anomaly detection job: records in, result documents out.
 *
 *     post ─▶ open buckets ─▶ close ─▶ features ─▶ models ─▶ influence ─▶ tree ─▶ documents
 *                               ▲                                                     │
 *     flush: advance, skip, interim                                   job_take_results ▼
 *
 * A job belongs to one caller at a time (see job_registry.h); nothing in it is locked. The same
 * records give the same results, whatever the batches they come in, the saves and loads between
 * them and the number of threads. Times are seconds since 1970 unless their name says ms.
 * Source: the Elastic contract, chapters 4, 5 and 7; elastic-model, chapters 2 and 3. */
#ifndef BLIP_JOB_JOB_H
#define BLIP_JOB_JOB_H

#include "base/bytes.h"
#include "base/error.h"
#include "frame/frame.h"
#include "job/analysis.h"
#include "job/count.h"
#include "job/output.h"
#include "job/rule.h"
#include "job/spill.h"
#include "job/tree.h"

struct job;

/* What a job is made of beside its analysis. */
struct job_options {
    uint64_t memory_limit_bytes;  // 0 = none
    bool spill;                   // at the limit cold series go to the caller's keeper
    int64_t prune_window_s;       // series unseen for longer are forgotten; 0 = never
    size_t record_limit;          // most records of a bucket; 0 = all
    size_t threads;               // for closing a bucket; 0 = one
};

/* A job that has seen nothing. It takes the analysis and frees it, even on failure. job_free()
 * frees it. STATUS_INVALID when the analysis makes no sense, STATUS_NO_MEMORY. */
enum status job_new(struct analysis *a, const struct job_options *options, struct job **out,
                    struct error *err);
void job_free(struct job *job);

// --- records in -----------------------------------------------------------------------------

/* Takes the records of a body in; buckets that they make due are closed.
 *   added  the counts of this body alone
 * STATUS_INVALID when the body is no series of records; those before the damage are in. */
enum status job_post(struct job *job, const char *body, size_t size, struct data_counts *added,
                     struct error *err);

/* Open buckets that overlap [start, end) forget what they hold. */
void job_reset_buckets(struct job *job, int64_t start_s, int64_t end_s);

/* Takes the rows of a frame in: a column per field, the time column named as the time field. */
enum status job_feed(struct job *job, const struct frame *rows, struct data_counts *added,
                     struct error *err);

// --- the clock ------------------------------------------------------------------------------

#define JOB_NO_TIME INT64_MIN

struct job_flush {
    bool interim;            // also results of the buckets still open ...
    int64_t start_s, end_s;  // ... of those within [start, end); JOB_NO_TIME = no bound
    int64_t advance_s;       // closes every bucket up to here; JOB_NO_TIME = none
    int64_t skip_s;          // passes over everything up to here; JOB_NO_TIME = no
};

/* Skips, advances, then gives interim results. */
enum status job_flush(struct job *job, const struct job_flush *flush, struct error *err);

/* The end of the last final bucket, or the start of the first one while none is; JOB_NO_TIME
 * when the job has seen nothing. */
int64_t job_finalized_s(const struct job *job);

// --- what came out --------------------------------------------------------------------------

/* Lines of bulk requests: results, and annotations, which have an index of their own. The
 * caller clears what it has taken. */
struct bytes *job_results(struct job *job);
struct bytes *job_annotations(struct job *job);

/* Whether results already written should be scored again; asking resets the answer. */
bool job_take_scores_changed(struct job *job);

/* The score that a stored result would get now: see tree.h. */
const struct tree *job_tree(const struct job *job);
/* The key under which the tree knows a text: a hash that is never 0. */
uint64_t job_text_key(struct text text);
const struct analysis *job_analysis(const struct job *job);

const struct data_counts *job_counts(const struct job *job);
struct result_size_stats job_size_stats(const struct job *job);

// --- changes and keeping --------------------------------------------------------------------

/* Replaces parts of the rules from the next bucket on; takes them out of `from`. */
void job_set_rules(struct job *job, struct rulebook *from, unsigned parts);

/* Replaces the plots' options; STATUS_NO_MEMORY leaves them as they were. */
enum status job_set_plot(struct job *job, bool enabled, const char *terms, bool annotations,
                         struct error *err);

/* Lends the job a keeper of spilled series until the next call; NULL takes it away. Without one
 * nothing is spilled, and what was spilled cannot be brought back: STATUS_FAILED. */
void job_keep(struct job *job, const struct job_keeper *keeper);

/* Numbers that the keeper may forget once the job has been saved: [*count], good until the job
 * is used again. */
const uint64_t *job_take_released(struct job *job, size_t *count);

/* Everything but rules and plots, which belong to the configuration; results that wait must be
 * taken first. */
void job_save(const struct job *job, struct pack *p);

/* A job of the same analysis, as it was saved. It takes the analysis and frees it, even on
 * failure. STATUS_INVALID when the bytes are damaged or of another analysis. */
enum status job_load(struct analysis *a, const struct job_options *options,
                     const uint8_t *bytes, size_t size, struct job **out, struct error *err);

#endif
