/* job/close.h - the steps from a bucket that is complete to its documents; see job_state.h. */
#ifndef BLIP_JOB_CLOSE_H
#define BLIP_JOB_CLOSE_H

#include "job/job_state.h"

/* Closes a bucket of the gather: all steps below. An interim bucket is judged as it stands and
 * nothing learns from it.
 * After STATUS_NO_MEMORY the job must not be used any more: load it from its last save. */
enum status job_close(struct job *job, struct gather_bucket *bucket, bool interim,
                      struct error *err);

/* Writes the deletion of all interim documents. */
void job_forget_interim(struct job *job);

enum status job_collect(struct job *job, struct error *err);
/* The time shifts that rules ask for in this bucket, before it is judged; each model makes each
 * of them once. */
enum status job_shift_times(struct job *job, struct error *err);

/* Moves cold series to the keeper while too much memory is used; *used_bytes shrinks by what
 * went. Brings the series of a group back. Forgets what is kept of a model. */
enum status job_spill(struct job *job, uint64_t *used_bytes, struct error *err);
enum status job_unspill(struct job *job, const struct job_group *g, struct error *err);
void job_forget_spilled(struct job *job, size_t detector, uint32_t model);

enum status job_judge(struct job *job, struct error *err);
/* Tells the tree how many values of the influencers the bucket had, before it is closed. */
enum status job_see(struct job *job, struct error *err);

enum status job_raise(struct job *job, struct error *err);
enum status job_write(struct job *job, struct error *err);

/* Appends the influences on a leaf to job->influences, strongest first within their fields, and
 * sets the leaf's range. */
enum status job_blame(struct job *job, struct job_leaf *leaf, struct error *err);

/* The share of its usual events that the open bucket has, in (0, 1]; and learning what is usual
 * from a closed one. */
double job_completeness(const struct job *job);
void job_learn_events(struct job *job);

/* The plots of all series of the bucket. */
void job_plot(struct job *job, struct output *o);

/* Models that are no series learn and judge a group; on any thread. */
void job_judge_kind(struct job *job, struct job_group *g, struct kind *kind);

/* What rare and freq_rare say of their items; after all other models, on one thread. */
enum status job_judge_rarity(struct job *job, struct error *err);

/* What rules say of an item before its model learns it, and once its probability is known. */
void job_apply_rules(struct job *job, struct job_item *item);
void job_mute(const struct job *job, struct job_item *item);

/* What rules are asked about an item. */
struct rule_subject job_subject(const struct job *job, const struct job_item *item);

/* What is expected of an item, as the user sees it: two numbers of a place, else one. */
struct job_values {
    double at[FEATURE_VALUES];
};
struct job_values job_typical(const struct job *job, const struct job_item *item);

/* The same of a time, a place or a rare value. */
struct job_values job_usual(const struct job *job, const struct job_item *item);

/* How many times rarer than the average a by value is, for rare; else 0. */
double job_rarity(const struct job *job, const struct job_item *item);

static inline const struct feature *job_feature(const struct job *job,
                                                const struct job_item *item) {
    return &job->watches[item->detector].features[item->feature];
}

static inline struct series *job_series(const struct job *job, const struct job_item *item) {
    const struct job_group *g = &job->groups.at[item->group];
    return watch_find(&job->watches[g->detector], g->feature, g->model);
}

/* A text of the gather; none for GATHER_NONE. */
static inline struct text job_text(const struct job *job, uint32_t id) {
    struct text t = {0};
    if (id != GATHER_NONE) t.data = gather_text(job->gather, id, &t.size);
    return t;
}

/* The key under which the tree knows a text: a hash that is never 0; 0 for GATHER_NONE. */
uint64_t job_key(const struct job *job, uint32_t text);

#endif
