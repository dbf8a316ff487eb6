/* model/tree.h - one random cut tree over windows of the forest's ring of rows.
 *
 *     tree   header | nodes | rows of samples | keys of samples | box numbers | box costs | boxes
 *     node   cut, left, right, dimension      x[dimension] <= cut goes left
 *     child  0..511: a node; 512 + i: a leaf, sample slot i
 *     row    where the sample's window begins in the ring; copies of a point share the row
 *
 * All parts of all trees lie in one block without pointers; struct tree_space says where. A
 * leaf costs nothing but the reference to its first sample, a point nothing but its row.
 *
 * Boxes. Scoring and inserting ask for the bounding box of a node. A node keeps its box when
 * reading it from below would cost TREE_BOX_COST reads or more, a read being a leaf or a box:
 *
 *              [box]              cost 14: the leaves and boxes read below it
 *             /     \
 *            o       [box]        a plain node costs less than TREE_BOX_COST reads
 *           / \      /   \
 *          .   .    o     o
 *
 * So there are at most about samples / TREE_BOX_COST boxes however lopsided the tree is, and a
 * box is the exact union of its points whichever nodes keep one: the policy moves time and
 * memory, never a result.
 *
 * Source: Guha, Mishra, Roy, Schrijvers: "Robust Random Cut Forest Based Anomaly Detection on
 * Streams", ICML 2016. Formula numbers are those of the specification's chapters 1 and 2. */
#ifndef BLIP_MODEL_TREE_H
#define BLIP_MODEL_TREE_H

#include "base/random.h"
#include "model/quad.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TREE_MAX_SAMPLES 512
#define TREE_MAX_DIMS 4096
#define TREE_LEAF 512u
#define TREE_EMPTY UINT16_MAX   // root of a tree without points
#define TREE_NO_ROW UINT16_MAX  // row of a sample slot that is free
#define TREE_NO_KEY INT16_MIN   // key of such a slot: never the largest
#define TREE_BOX_COST 12        // reads that earn a node its box
#define TREE_BOX_KEEP 6         // reads below which it loses it

struct node {
    float cut;
    uint32_t links;  // left: 10 bits | right: 10 bits | dimension: 12 bits
};

struct tree {
    struct random random;
    double log_mass;      // log2(1 + size)
    uint16_t root;        // a child, or TREE_EMPTY
    uint16_t size;        // samples held, copies counted
    uint16_t node_count;  // nodes ever used; those behind are fresh
    uint16_t free_node;   // first of the chain of given back nodes, or TREE_EMPTY
    uint16_t worst;       // slot of the largest key; right while size > 0
    uint16_t full_once;   // 1: acceptance is planned (sampler.h)
};

/* Where everything is. The same for all trees of a forest. */
struct tree_space {
    size_t dims;     // of a point
    size_t chunks;   // groups of four floats that hold a point
    size_t width;    // floats of a ring row
    quad_mask tail;  // lanes of the last chunk that are real
    size_t samples;  // sample slots of a tree
    size_t boxes;    // box slots of a tree
    size_t nodes_at, rows_at, keys_at, box_of_at, costs_at, boxes_at, stride;  // bytes
    const float *ring;
};

/* The way from the root down to a leaf. */
struct tree_path {
    uint16_t nodes[TREE_MAX_SAMPLES];  // [depth], root first
    uint16_t depth;
    uint16_t slot;  // of the leaf
};

QUAD_INLINE struct node *tree_nodes(const struct tree_space *s, const struct tree *t) {
    return (struct node *)((uint8_t *)t + s->nodes_at);
}
QUAD_INLINE uint16_t *tree_rows(const struct tree_space *s, const struct tree *t) {
    return (uint16_t *)((uint8_t *)t + s->rows_at);
}
QUAD_INLINE int16_t *tree_keys(const struct tree_space *s, const struct tree *t) {
    return (int16_t *)((uint8_t *)t + s->keys_at);
}
/* [nodes] the box slot of a node + 1, or 0 */
QUAD_INLINE uint8_t *tree_box_of(const struct tree_space *s, const struct tree *t) {
    return (uint8_t *)t + s->box_of_at;
}
/* [boxes] reads that a box stands for; 0 = the slot is free */
QUAD_INLINE uint16_t *tree_costs(const struct tree_space *s, const struct tree *t) {
    return (uint16_t *)((uint8_t *)t + s->costs_at);
}
/* The box of a node that has one: 4 * chunks lower bounds, then as many upper ones. */
QUAD_INLINE float *tree_box(const struct tree_space *s, const struct tree *t, size_t box) {
    return (float *)((uint8_t *)t + s->boxes_at) + box * 2 * QUAD * s->chunks;
}
QUAD_INLINE const float *tree_point(const struct tree_space *s, uint16_t row) {
    return s->ring + (size_t)row * s->width;
}

QUAD_INLINE uint16_t node_left(struct node n) { return n.links & 1023; }
QUAD_INLINE uint16_t node_right(struct node n) { return n.links >> 10 & 1023; }
QUAD_INLINE uint16_t node_dim(struct node n) { return (uint16_t)(n.links >> 20); }
/* Computed, not branched to: which side a point takes is as good as random. */
QUAD_INLINE uint16_t node_side(struct node n, const float *x) {
    uint32_t right = x[node_dim(n)] > n.cut;
    return n.links >> right * 10 & 1023;
}
QUAD_INLINE uint16_t node_other(struct node n, uint16_t child) {
    return node_left(n) == child ? node_right(n) : node_left(n);
}
QUAD_INLINE struct node node_make(float cut, size_t dim, uint16_t left, uint16_t right) {
    return (struct node){cut, left | (uint32_t)right << 10 | (uint32_t)dim << 20};
}

/* Lays out trees for points of `dims` floats. `ring` may move: set it again then. */
void tree_space_set(struct tree_space *s, size_t dims, size_t width, size_t samples);

/* Makes zeroed memory of s->stride bytes an empty tree. */
void tree_init(const struct tree_space *s, struct tree *t, uint64_t seed);

/* Copies a tree into a larger space. */
void tree_move(const struct tree_space *from, const struct tree *t, const struct tree_space *to,
               struct tree *out);

/* Follows the cuts to x's leaf; the tree is not empty. x: [4 * chunks] floats. */
void tree_descend(const struct tree_space *s, const struct tree *t, const float *x,
                  struct tree_path *path);

/* Copies of the point in a leaf's slot. */
size_t tree_copies(const struct tree_space *s, const struct tree *t, uint16_t slot);

/* Adds the point at `row` as a sample with a key; the tree has a free slot. */
void tree_insert(const struct tree_space *s, struct tree *t, uint16_t row, int16_t key);

/* Removes the sample in a slot. */
void tree_delete(const struct tree_space *s, struct tree *t, uint16_t slot);

/* Finds `worst` again after keys changed. */
void tree_find_worst(const struct tree_space *s, struct tree *t);

/* Gives boxes to the nodes of a tree that was put together from a snapshot, parents numbered
 * before their children. False when the cuts do not lead every sample's point to its leaf. */
bool tree_settle(const struct tree_space *s, struct tree *t);

#endif
