/* job/tree.h - from the probabilities of a bucket's series to its scores.
 *
 *     root                          the bucket                        bucket_time
 *     └ partition field             all regions
 *       └ partition value           region = eu                       (partition scores)
 *         └ person field            all users of eu
 *           └ person value          user = ann, in every detector
 *             └ leaf                one detector's verdict on ann     a record
 *
 * Beside it stands a pivot per influencer value, over the leaves that name it, and a pivot
 * root per influencer field. Probabilities are aggregated upward, every node gets a raw score,
 * and the normaliser of its level makes a score from 0 to 100 of that. A group of one makes no
 * node. A person is the over value, without an over field the by value.
 *
 * One bucket:   tree_clear()   tree_add() per series   tree_close()   then read the results.
 * The tree also owns what lasts from bucket to bucket: the normalisers and the equaliser
 * between detectors. It keeps its memory, so a bucket like the one before allocates nothing.
 * Source: elastic-model, chapters 9 to 11. */
#ifndef BLIP_JOB_TREE_H
#define BLIP_JOB_TREE_H

#include "base/bytes.h"
#include "base/error.h"
#include "job/analysis.h"
#include "model/pack.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An influencer value that a leaf names: its influence on the leaf is 0.4 or more. */
struct tree_influence {
    uint32_t field;  // index in analysis.influencers
    uint64_t value;  // key of its text, see struct tree_leaf
    double p;        // the leaf's probability to the power of the influence
};

/* What one detector says of one series in this bucket. A key is a 64-bit hash of a text, the
 * same in every run and after every load; 0 = the detector has no such field. */
struct tree_leaf {
    uint32_t detector;           // index in analysis.detectors
    uint64_t partition, person;  // keys
    double p;
    const struct tree_influence *influences;  // [influence_count], copied
    size_t influence_count;
    bool unlearned;  // a rule's skip_model_update: the normalisers do not learn from it
};

struct tree_result {
    double p;      // in (0, 1]
    double raw;    // raw score, 0..100
    double score;  // normalised, 0..100
    bool written;
};

/* A result of a partition value or of an influencer. */
struct tree_node {
    struct tree_result result;
    uint32_t field;    // a pivot's and pivot root's: index in analysis.influencers
    uint64_t key;      // of the partition or influencer value; 0 for a pivot root
    size_t leaf;       // one of the leaves below it: to find the text of its value
    size_t influence;  // the place among that leaf's influences; 0 for a partition
};

struct tree;

/* A tree without history, for one job. tree_free() frees it.
 * STATUS_NO_MEMORY. The analysis must outlive the tree. */
enum status tree_new(const struct analysis *a, struct tree **out, struct error *err);
void tree_free(struct tree *t);

/* Begins a bucket: forgets the leaves and results of the one before. */
void tree_clear(struct tree *t);

/* Adds a leaf; leaves are numbered from 0 in the order of their calls.
 * STATUS_INVALID for a detector or influencer out of range or p outside [0, 1],
 * STATUS_NO_MEMORY; the tree is then unchanged. */
enum status tree_add(struct tree *t, const struct tree_leaf *leaf, struct error *err);

/* Says how many values of an influencer field this bucket's rows had, before tree_close():
 * those that no leaf names count as calm. Without it the field counts as one calm value.
 * STATUS_INVALID for an influencer out of range. */
enum status tree_see(struct tree *t, uint32_t field, size_t values, struct error *err);

/* Aggregates, scores and selects. The normalisers and the equaliser learn from the bucket
 * unless it is interim; calling it for a final bucket also ages them by one bucket.
 *   record_limit  most records written; 0 = all
 * STATUS_NO_MEMORY; the results are then unusable, and some normalisers may have learnt. */
enum status tree_close(struct tree *t, bool interim, size_t record_limit, struct error *err);

// --- results, until the next tree_clear() ----------------------------------------------------

struct tree_result tree_root(const struct tree *t);  // the bucket itself: always written

/* The bucket's anomaly score: the largest of the root's and of the written pivot roots'. */
double tree_score(const struct tree *t);

size_t tree_leaf_count(const struct tree *t);
struct tree_result tree_leaf_result(const struct tree *t, size_t leaf);

/* The leaves that become records, by detector, then by probability: [*count] leaf numbers. */
const size_t *tree_records(const struct tree *t, size_t *count);

/* Nodes of partition values, influencer values, influencer fields; ordered by field, then by
 * key. Those with result.written are results. A partition value with a single leaf has none. */
const struct tree_node *tree_partitions(const struct tree *t, size_t *count);
const struct tree_node *tree_pivots(const struct tree *t, size_t *count);
const struct tree_node *tree_pivot_roots(const struct tree *t, size_t *count);

// --- what lasts ------------------------------------------------------------------------------

/* Whether the last final bucket moved a normaliser so much that results already written should
 * be scored again at once (tree_rescore). */
bool tree_scores_changed(const struct tree *t);

enum tree_level {
    TREE_ROOT,       // bucket_time
    TREE_LEAF,       // a record
    TREE_PARTITION,  // a partition score
    TREE_BUCKET_INFLUENCER,
    TREE_INFLUENCER,
};

/* Names one result: what its stored document says. */
struct tree_place {
    enum tree_level level;
    uint32_t detector;           // of a record: index; of a partition: of any of its detectors
    uint32_t field;              // of an influencer or bucket influencer: index
    uint64_t partition, person;  // keys of a record or partition
    uint64_t value;              // key of an influencer's value
};

/* The score that a stored result would get now; learns nothing.
 *   p  the stored probability: the raw score follows from it */
double tree_rescore(const struct tree *t, const struct tree_place *place, double p);

/* Whether a new score is far enough from the stored one to be stored in its place: it crosses
 * a multiple of 25, or differs by 1.5, or one is below 33 % of the other. */
bool tree_score_moved(double stored, double now);

/* Writes and reads what lasts. tree_load() fills a tree of the same analysis.
 * STATUS_INVALID when the bytes are no saved tree, STATUS_NO_MEMORY; the tree is then empty. */
void tree_save(const struct tree *t, struct pack *p);
enum status tree_load(struct tree *t, struct unpack *u, struct error *err);

#endif
