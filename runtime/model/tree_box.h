/* model/tree_box.h - bounding boxes on the way up a tree: the inner loops of score, insertion
 * and attribution. All is inlined with a constant number of chunks where points are short, so
 * that a box lives in registers. */
#ifndef BLIP_MODEL_TREE_BOX_H
#define BLIP_MODEL_TREE_BOX_H

#include "model/tree.h"

/* What the compiler may know of a box. Points of eight floats, the usual shingle of one
 * feature, get loops of their own. */
struct box_form {
    size_t chunks;
    bool whole;  // the last chunk has no lanes behind the last dimension
};

static const struct box_form box_of_eight = {2, true};

QUAD_INLINE bool box_is_of_eight(const struct tree_space *s) { return s->dims == 8; }

QUAD_INLINE struct box_form box_form_of(const struct tree_space *s) {
    return (struct box_form){s->chunks, false};
}

/* Four floats of a point; lanes behind its last dimension are 0. */
QUAD_INLINE quad box_point_chunk(const struct tree_space *s, const float *p, size_t chunk,
                                 struct box_form form) {
    quad v = quad_load(p + QUAD * chunk);
    return !form.whole && chunk + 1 == form.chunks ? quad_and(v, s->tail) : v;
}

/* Makes the box of one point. */
QUAD_INLINE void box_start(const struct tree_space *s, const float *p, quad *lo, quad *hi,
                           struct box_form form) {
    for (size_t c = 0; c < form.chunks; c++)
        lo[c] = hi[c] = box_point_chunk(s, p, c, form);
}

QUAD_INLINE void box_load(const float *box, quad *lo, quad *hi, struct box_form form) {
    for (size_t c = 0; c < form.chunks; c++) {
        lo[c] = quad_load(box + QUAD * c);
        hi[c] = quad_load(box + QUAD * (form.chunks + c));
    }
}

QUAD_INLINE void box_store(float *box, const quad *lo, const quad *hi, struct box_form form) {
    for (size_t c = 0; c < form.chunks; c++) {
        quad_store(box + QUAD * c, lo[c]);
        quad_store(box + QUAD * (form.chunks + c), hi[c]);
    }
}

QUAD_INLINE void box_join(const float *box, quad *lo, quad *hi, struct box_form form) {
    for (size_t c = 0; c < form.chunks; c++) {
        lo[c] = quad_min(lo[c], quad_load(box + QUAD * c));
        hi[c] = quad_max(hi[c], quad_load(box + QUAD * (form.chunks + c)));
    }
}

QUAD_INLINE void box_join_point(const struct tree_space *s, const float *p, quad *lo, quad *hi,
                                struct box_form form) {
    for (size_t c = 0; c < form.chunks; c++) {
        quad v = box_point_chunk(s, p, c, form);
        lo[c] = quad_min(lo[c], v);
        hi[c] = quad_max(hi[c], v);
    }
}

/* Extends a box by all points below a child. */
QUAD_INLINE void box_join_child(const struct tree_space *s, const struct tree *t,
                                uint16_t child, quad *lo, quad *hi, struct box_form form) {
    const struct node *nodes = tree_nodes(s, t);
    const uint16_t *rows = tree_rows(s, t);
    const uint8_t *box_of = tree_box_of(s, t);
    uint16_t waiting[TREE_MAX_SAMPLES];
    size_t count = 0;
    for (;;) {
        if (child >= TREE_LEAF) {
            box_join_point(s, tree_point(s, rows[child - TREE_LEAF]), lo, hi, form);
        } else if (box_of[child]) {
            box_join(tree_box(s, t, box_of[child] - 1u), lo, hi, form);
        } else {
            waiting[count++] = node_right(nodes[child]);
            child = node_left(nodes[child]);
            continue;
        }
        if (count == 0) return;
        child = waiting[--count];
    }
}

/* From the box of `child` to the box of its parent. */
QUAD_INLINE void box_climb(const struct tree_space *s, const struct tree *t, uint16_t parent,
                           uint16_t child, quad *lo, quad *hi, struct box_form form) {
    uint8_t box = tree_box_of(s, t)[parent];
    if (box)
        box_load(tree_box(s, t, box - 1u), lo, hi, form);
    else
        box_join_child(s, t, node_other(tree_nodes(s, t)[parent], child), lo, hi, form);
}

/* How far x lies outside of a box, summed over its sides, and the sum of the box's sides. */
struct box_distance {
    double outside;  // e of formula (1); 0 when the box contains x, and range is then not told
    double range;    // R
};

QUAD_INLINE struct box_distance box_measure(const quad *lo, const quad *hi, const float *x,
                                            struct box_form form) {
    quad outside = {0}, range = {0}, zero = {0};
    for (size_t c = 0; c < form.chunks; c++) {
        quad v = quad_load(x + QUAD * c);
        outside += quad_max(lo[c] - v, zero) + quad_max(v - hi[c], zero);
        range += hi[c] - lo[c];
    }
    if (!quad_positive(outside)) return (struct box_distance){0};
    return (struct box_distance){quad_sum(outside), quad_sum(range)};
}

#endif
