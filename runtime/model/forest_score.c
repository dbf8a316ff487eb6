/* model/forest_score.c - forest_score(): formulas (4) to (6).
 *
 * Every step down a tree waits for memory, so a group of trees goes down together, one step
 * each in turn; then each tree goes up alone until a box contains the point, which for an
 * ordinary one is after four or five. */
#include "model/forest.h"
#include "model/tree_box.h"

#include <math.h>

#define GROUP 8

// Formula (4): the point is in the tree already.
static double score_seen(const struct tree_space *s, const struct tree *t,
                         const struct tree_path *path) {
    double copies = (double)tree_copies(s, t, path->slot);
    return (1 - copies / (2.0 * t->size)) / (path->depth + log2(1 + copies));
}

// Formula (5), from the leaf up.
QUAD_INLINE double score_up(const struct tree_space *s, const struct tree *t,
                            const struct tree_path *path, const float *x, quad *lo, quad *hi,
                            struct box_form form) {
    box_start(s, tree_point(s, tree_rows(s, t)[path->slot]), lo, hi, form);
    if (box_measure(lo, hi, x, form).outside <= 0) return score_seen(s, t, path);
    double score = 1.0 / (path->depth + 1);
    uint16_t child = (uint16_t)(TREE_LEAF + path->slot);
    for (size_t depth = path->depth; depth-- > 0;) {
        uint16_t parent = path->nodes[depth];
        box_climb(s, t, parent, child, lo, hi, form);
        struct box_distance d = box_measure(lo, hi, x, form);
        if (d.outside <= 0) break;
        double extent = d.outside + d.range;  // two divisions that do not wait for each other
        score = d.outside / (extent * (double)(depth + 1)) + d.range / extent * score;
        child = parent;
    }
    return score;
}

// One function for each length of a point that is common, so that its loops are unrolled.
#define SCORE_OF(name, quads, form)                                                            \
    static double name(const struct tree_space *s, const struct tree *t,                       \
                       const struct tree_path *path, const float *x) {                         \
        quad lo[quads], hi[quads];                                                             \
        return score_up(s, t, path, x, lo, hi, form);                                          \
    }
SCORE_OF(score_8, 2, ((struct box_form){2, true}))
SCORE_OF(score_16, 4, ((struct box_form){4, true}))
SCORE_OF(score_24, 6, ((struct box_form){6, true}))
SCORE_OF(score_40, 10, ((struct box_form){10, true}))
SCORE_OF(score_any, TREE_MAX_DIMS / QUAD, box_form_of(s))

typedef double score_tree(const struct tree_space *s, const struct tree *t,
                          const struct tree_path *path, const float *x);

static score_tree *score_for(size_t dims) {
    switch (dims) {
    case 8:
        return score_8;
    case 16:
        return score_16;
    case 24:
        return score_24;
    case 40:
        return score_40;
    default:
        return score_any;
    }
}

// Takes a group of trees down to x's leaves, in step.
static void descend_group(const struct forest *f, size_t first, size_t count, const float *x,
                          struct tree_path *paths) {
    const struct node *nodes[GROUP];
    uint32_t child[GROUP];
    size_t depth[GROUP] = {0};
    for (size_t i = 0; i < GROUP; i++) {
        const struct tree *t = forest_tree(f, i < count ? first + i : first);
        nodes[i] = tree_nodes(&f->space, t);
        child[i] = i < count ? t->root : TREE_EMPTY;
    }
    for (bool moved = true; moved;) {
        moved = false;
        for (size_t i = 0; i < GROUP; i++) {
            if (child[i] >= TREE_LEAF) continue;
            paths[i].nodes[depth[i]++] = (uint16_t)child[i];
            child[i] = node_side(nodes[i][child[i]], x);
            moved = true;
        }
    }
    for (size_t i = 0; i < count; i++) {
        paths[i].depth = (uint16_t)depth[i];
        paths[i].slot = (uint16_t)(child[i] - TREE_LEAF);
    }
}

double forest_score(const struct forest *f, const float *point) {
    const struct tree_space *s = &f->space;
    float x[TREE_MAX_DIMS];
    forest_read(f, point, x);
    score_tree *score = score_for(s->dims);
    struct tree_path paths[GROUP];
    double sum = 0;
    for (size_t first = 0; first < f->trees; first += GROUP) {
        size_t count = f->trees - first < GROUP ? f->trees - first : GROUP;
        descend_group(f, first, count, x, paths);
        for (size_t i = 0; i < count; i++) {
            const struct tree *t = forest_tree(f, first + i);
            if (t->root == TREE_EMPTY) continue;
            sum += score(s, t, &paths[i], x) * t->log_mass;
        }
    }
    return sum / (double)f->trees;
}
