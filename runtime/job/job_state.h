/* job/job_state.h - the insides of a job, shared by the files that are its parts.
 *
 *     collect   a bucket of the gather  ─▶  items, in groups that share a model
 *     judge     groups, on all threads  ─▶  learned models, a probability per item
 *     blame     anomalous items         ─▶  influences
 *     raise     items                   ─▶  leaves of the tree
 *     write     the tree's results      ─▶  documents
 *
 * An item is a feature's value of a cell.
 * All lists belong to one bucket; they are kept between buckets so that a bucket like the one
 * before allocates nothing. */
#ifndef BLIP_JOB_JOB_STATE_H
#define BLIP_JOB_JOB_STATE_H

#include "base/bytes.h"
#include "base/text.h"
#include "base/time.h"
#include "job/gather.h"
#include "job/job.h"
#include "job/limit.h"
#include "job/list.h"
#include "job/plot.h"
#include "job/watch.h"
#include "model/decomposition.h"

/* A value of one feature of one cell. */
struct job_item {
    uint32_t detector, feature, cell, group;
    bool valued;                   // the bucket has a value of it
    bool muted;                    // a rule, an event or exclude_frequent: it gives no result
    bool unlearned;                // a rule or event: the model hardly learns it
    double value[FEATURE_VALUES];  // as the user sees it
    double time_s, count, count_scale;
    size_t first_event, events;  // of a time of day or week, in `events_at`
    double p;
    struct series_verdict verdict;
};

/* Items that share a model: one of a series, many of a population. Their samples follow one
 * another too. */
struct job_group {
    uint32_t detector, feature, model;
    size_t first_item, items;
    size_t first_sample, samples;  // of places in `points`
    int64_t grown_bytes;           // of the model
    char *news;  // what the model found: texts with their zeros, an empty one last
};

/* An influencer value that has a share in a leaf's anomaly. */
struct job_influence {
    uint32_t field, value;  // index of the influencer, id of the text
    double ratio;           // ln of its probability by ln of the leaf's: 0..1
};

/* What one detector says of one person: a leaf of the tree. */
struct job_leaf {
    uint32_t detector, partition, by, over;  // ids of texts
    size_t first, items;                     // in `order`
    size_t first_influence, influences;
    size_t worst;  // the item with the smallest probability
    double p;
};

LIST(item_list, struct job_item)
LIST(group_list, struct job_group)
LIST(sample_list, struct series_sample)
LIST(point_list, struct place_point)
LIST(event_list, struct time_of_event)
LIST(influence_list, struct job_influence)
LIST(tree_influence_list, struct tree_influence)
LIST(leaf_list, struct job_leaf)
LIST(index_list, size_t)
LIST(number_list, uint64_t)
LIST(seen_list, uint64_t)

/* A rule's force_time_shift that a model has had. */
struct job_shift {
    uint64_t rule;
    uint32_t detector, feature, model;
};

LIST(shift_list, struct job_shift)

struct job {
    struct analysis *analysis;
    struct job_options options;
    struct gather *gather;
    struct tree *tree;
    struct rulebook *rules;
    struct watch *watches;  // [detector_count]
    struct limit limit;
    const struct job_keeper *keeper;  // of spilled series; NULL = nobody keeps any now
    uint64_t spill_number;            // the last one that was used
    struct number_list released;      // come back since the caller asked
    struct plot_options plot;
    struct decomposition *events;      // of the bucket's number of events: what "complete" is
    double events_error, events_seen;  // mean error of that, over so many buckets
    struct shift_list shifts;          // sorted; each is made once

    // the bucket that is being closed
    struct gather_bucket *bucket;
    int64_t bucket_s;
    bool interim;
    double completeness;
    bool ageless;        // an event covers it
    int64_t started_ns;  // when closing began
    struct item_list items;
    struct group_list groups;
    struct sample_list samples;
    struct point_list points;     // what models of places learn
    struct event_list events_at;  // at which times of day or week items had events
    struct index_list order;      // items by leaf
    struct leaf_list leaves;
    struct influence_list influences;
    struct seen_list seen;             // influencer fields and values of the bucket
    struct tree_influence_list named;  // what the tree gets of one leaf

    // what waits to be taken
    struct bytes results, annotations;
    struct bytes interim_ids;  // of interim documents that the next bucket deletes
    bool scores_changed;       // since the caller asked
    struct error failure;      // of a bucket that could not be closed; nothing goes on then
};

#endif
