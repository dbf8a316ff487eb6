/* model/conditional.c - see conditional.h. */
#include "model/conditional.h"

#include "model/tree_box.h"
#include <math.h>
#include <stdlib.h>

// --- one completion for each tree ------------------------------------------------------------

struct completion {
    double rank;    // the score of the completed point, undamped: lower is more typical
    uint16_t slot;  // the leaf that the missing coordinates come from
    bool settled;   // a box contained the point: the rank is final
};

struct search {
    const struct tree_space *s;
    const struct tree *t;
    const uint8_t *missing;
    float x[TREE_MAX_DIMS];  // the missing coordinates are those of the leaf last looked at
    quad lo[TREE_MAX_DIMS / QUAD], hi[TREE_MAX_DIMS / QUAD];
};

// Completes the point from a leaf. Returns whether it then equals the leaf.
static bool complete(struct search *q, uint16_t slot) {
    const float *leaf = tree_point(q->s, tree_rows(q->s, q->t)[slot]);
    bool equal = true;
    for (size_t i = 0; i < q->s->dims; i++) {
        if (q->missing[i]) q->x[i] = leaf[i];
        equal &= q->x[i] == leaf[i];
    }
    return equal;
}

static struct completion complete_leaf(struct search *q, uint16_t slot, size_t depth) {
    struct completion c = {.slot = slot};
    c.settled = complete(q, slot);
    if (!c.settled)
        c.rank = 1.0 / (double)(depth + 1);
    else if (depth > 0)
        c.rank = 1.0 / ((double)depth + log2(1.0 + (double)tree_copies(q->s, q->t, slot)));
    return c;
}

static void box_of_node(struct search *q, uint16_t node) {
    for (size_t i = 0; i < q->s->chunks; i++) {
        q->lo[i] = (quad){INFINITY, INFINITY, INFINITY, INFINITY};
        q->hi[i] = -q->lo[i];
    }
    box_join_child(q->s, q->t, node, q->lo, q->hi, box_form_of(q->s));
}

// Follows both children where the cut is on a missing coordinate, the point's side elsewhere;
// the more typical completion survives.
static struct completion complete_below(struct search *q, uint16_t child, size_t depth) {
    if (child >= TREE_LEAF) return complete_leaf(q, (uint16_t)(child - TREE_LEAF), depth);
    struct node n = tree_nodes(q->s, q->t)[child];
    struct completion c;
    if (q->missing[node_dim(n)]) {
        c = complete_below(q, node_left(n), depth + 1);
        struct completion right = complete_below(q, node_right(n), depth + 1);
        if (right.rank < c.rank) c = right;
    } else {
        c = complete_below(q, node_side(n, q->x), depth + 1);
    }
    if (c.settled) return c;
    complete(q, c.slot);
    box_of_node(q, child);
    struct box_distance d = box_measure(q->lo, q->hi, q->x, box_form_of(q->s));
    double p = d.outside > 0 ? d.outside / (d.outside + d.range) : 0;
    c.settled = p <= 0;
    c.rank = p / (double)(depth + 1) + (1 - p) * c.rank;
    return c;
}

// --- their median ----------------------------------------------------------------------------

static int compare_floats(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return x < y ? -1 : x > y;
}

enum status forest_impute(const struct forest *f, float *point, const uint8_t *missing,
                          struct error *err) {
    float *values = malloc(f->trees * (sizeof *values + sizeof(uint16_t)));
    if (!values) return fail(err, STATUS_NO_MEMORY, "no memory to impute a point");
    uint16_t *rows = (uint16_t *)(values + f->trees);
    struct search q = {.s = &f->space, .missing = missing};
    forest_read(f, point, q.x);
    size_t count = 0;
    for (size_t i = 0; i < f->trees; i++) {
        q.t = forest_tree(f, i);
        if (q.t->root == TREE_EMPTY) continue;
        struct completion c = complete_below(&q, q.t->root, 0);
        rows[count++] = tree_rows(q.s, q.t)[c.slot];
    }
    for (size_t k = 0; count > 0 && k < f->space.dims; k++) {
        if (!missing[k]) continue;
        for (size_t i = 0; i < count; i++)
            values[i] = tree_point(&f->space, rows[i])[k];
        qsort(values, count, sizeof *values, compare_floats);
        point[k] = values[(count - 1) / 2];
    }
    free(values);
    return STATUS_OK;
}

// --- neighbours ------------------------------------------------------------------------------

static double distance(const struct tree_space *s, const float *x, const float *y) {
    double sum = 0;
    for (size_t i = 0; i < s->dims; i++) {
        double d = (double)x[i] - (double)y[i];
        sum += d * d;
    }
    return sqrt(sum);
}

size_t forest_neighbours(const struct forest *f, const float *point, struct neighbour *out) {
    const struct tree_space *s = &f->space;
    float x[TREE_MAX_DIMS];
    forest_read(f, point, x);
    struct tree_path path;
    size_t count = 0;
    for (size_t i = 0; i < f->trees; i++) {
        const struct tree *t = forest_tree(f, i);
        if (t->root == TREE_EMPTY) continue;
        tree_descend(s, t, x, &path);
        uint16_t row = tree_rows(s, t)[path.slot];
        size_t at = 0;
        while (at < count && out[at].row != row)
            at++;
        if (at == count)
            out[count++] =
                (struct neighbour){.row = row, .distance = distance(s, x, tree_point(s, row))};
        out[at].trees++;
    }
    return count;
}
