/* job/tree_state.h - what the files of the tree share: tree.c (leaves, what lasts),
 * tree_layer.c (aggregation upward), pivot.c (influencers), select.c (scores, what is
 * written). */
#ifndef BLIP_JOB_TREE_STATE_H
#define BLIP_JOB_TREE_STATE_H

#include "job/levels.h"
#include "job/tree.h"
#include "model/chance.h"
#include "model/equalizer.h"

#define TREE_MIXED UINT32_MAX  // a node over several detectors
#define TREE_NONE UINT32_MAX   // no such item

enum tree_kind {
    KIND_LEAF,
    KIND_PERSON,
    KIND_PERSON_FIELD,
    KIND_PARTITION,
    KIND_PARTITION_FIELD,
    KIND_ROOT
};

/* A leaf or a node over some. Items of a bucket stand in one list: the leaves in the order of
 * their calls, then the nodes, each behind what is below it. */
struct tree_item {
    enum tree_kind kind;
    bool people;  // its style as a child: people, else attributes
    bool unlearned;
    uint32_t detector;  // of everything below it, or TREE_MIXED
    uint32_t partition_field, person_field;
    uint64_t partition, person;
    struct tree_result result;
    double least;  // smallest probability of it and of all below it
    double below;  // smallest probability below it; 1 for a leaf
    uint32_t parent;
    uint32_t leaf;                 // one of the leaves below it, or itself
    uint32_t pivot;                // the last pivot that it stood in
    size_t influence, influences;  // a leaf's, in tree.influences
};

/* A child on its way into an aggregate. */
struct tree_child {
    uint32_t detector;
    bool people;
    uint64_t partition, person;  // children of one style and detector that agree here belong
                                 // together
    double p;
};

/* An influence, sorted by influencer: what a pivot is built of. */
struct tree_mention {
    uint32_t field;
    uint32_t leaf;
    uint64_t value;
    size_t influence;  // its place among the leaf's
    double p;
};

struct tree_pivot {
    struct tree_node node;
    uint32_t detector;  // of everything below it, or TREE_MIXED
    double least;       // smallest p^influence below it, and its own
    double below;       // smallest probability of a leaf (of a pivot root: of a pivot) below it
    size_t mention, mentions;
};

struct tree {
    const struct analysis *analysis;
    struct levels levels;
    struct equalizer equalizer;
    double fade;  // of the equaliser, per bucket

    size_t leaves;            // of this bucket
    struct tree_item *items;  // leaves first, the root last
    size_t item_count, item_capacity;
    struct tree_influence *influences;
    size_t influence_count, influence_capacity;
    size_t *seen;  // [influencers] values in this bucket
    struct tree_pivot *pivots, *pivot_roots;
    size_t pivot_count, pivot_capacity, root_count, root_capacity;

    // what is read of the bucket
    struct tree_node *shown_partitions, *shown_pivots, *shown_roots;
    size_t partition_count, partition_room, pivot_room, root_room;
    size_t *records;
    size_t record_count, record_room;

    // scratch
    uint32_t *order;
    size_t order_room;
    struct tree_child *children;
    size_t child_room;
    struct tree_mention *mentions;
    size_t mention_room;
};

/* Makes *array hold `count` elements of `width` bytes; grows by doubling. STATUS_NO_MEMORY. */
enum status tree_room(void *array, size_t *capacity, size_t count, size_t width,
                      struct error *err);

/* Aggregates tree.children[0 .. count), which it sorts. learn: the equaliser learns. */
struct chance_total tree_combine(struct tree *t, size_t count, bool learn);

/* The steps of tree_close(). */
enum status tree_build(struct tree *t, bool learn, struct error *err);  // nodes and the root
enum status tree_pivot(struct tree *t, bool learn, struct error *err);  // pivots, their roots
enum status tree_learn(struct tree *t, struct error *err);              // normalisers
enum status tree_select(struct tree *t, size_t limit, struct error *err);  // scores, results

#endif
