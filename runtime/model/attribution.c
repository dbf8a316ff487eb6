/* model/attribution.c - see attribution.h. */
#include "model/attribution.h"

#include "model/tree_box.h"
#include <math.h>

// One tree's share and the box that climbs.
struct climb {
    bool lengths;  // of directed distances instead of scores
    double high[TREE_MAX_DIMS], low[TREE_MAX_DIMS];
    quad lo[TREE_MAX_DIMS / QUAD], hi[TREE_MAX_DIMS / QUAD];
};

// Formula (7) at a node: its box splits off x with the probability p, each side in proportion.
// A distance counts the way from the far side of the box instead of the depth (2.9).
static void blend(const struct tree_space *s, struct climb *c, const float *x,
                  struct box_distance d, double p, double score) {
    double extent = d.outside + d.range;
    for (size_t i = 0; i < s->dims; i++) {
        // NOLINTNEXTLINE(clang-analyzer-core.*): a box has a chunk at least
        double hi = (double)c->hi[i / QUAD][i % QUAD], lo = (double)c->lo[i / QUAD][i % QUAD];
        double above = (double)x[i] > hi ? (double)x[i] - hi : 0;
        double below = (double)x[i] < lo ? lo - (double)x[i] : 0;
        double worth = c->lengths ? above + below + hi - lo : score;
        c->high[i] = (1 - p) * c->high[i] + above / extent * worth;
        c->low[i] = (1 - p) * c->low[i] + below / extent * worth;
    }
}

// A point that no leaf equals: exactly the way of the score.
static void climb_unseen(const struct tree_space *s, const struct tree *t,
                         const struct tree_path *path, const float *x, struct climb *c,
                         struct box_distance d) {
    blend(s, c, x, d, 1, 1.0 / (path->depth + 1));
    uint16_t child = (uint16_t)(TREE_LEAF + path->slot);
    for (size_t depth = path->depth; depth-- > 0;) {
        uint16_t parent = path->nodes[depth];
        box_climb(s, t, parent, child, c->lo, c->hi, box_form_of(s));
        d = box_measure(c->lo, c->hi, x, box_form_of(s));
        if (d.outside <= 0) return;
        blend(s, c, x, d, d.outside / (d.outside + d.range), 1.0 / (double)(depth + 1));
        child = parent;
    }
}

static void scale(const struct tree_space *s, struct climb *c, double total) {
    double sum = 0;
    for (size_t i = 0; i < s->dims; i++)
        sum += c->high[i] + c->low[i];
    for (size_t i = 0; i < s->dims; i++) {
        c->high[i] *= total / sum;
        c->low[i] *= total / sum;
    }
}

// A point that a leaf equals: the boxes are those of the siblings on the way, as if the leaf
// were absent, and the sum is made that of formula (4).
static void climb_seen(const struct tree_space *s, const struct tree *t,
                       const struct tree_path *path, const float *x, struct climb *c) {
    double copies = (double)tree_copies(s, t, path->slot);
    double total = (1 - copies / (2.0 * t->size)) / (path->depth + log2(1 + copies));
    for (size_t i = 0; i < s->dims; i++)
        c->high[i] = c->low[i] = c->lengths ? 0 : total / (2.0 * (double)s->dims);
    for (size_t i = 0; i < s->chunks; i++) {
        c->lo[i] = (quad){INFINITY, INFINITY, INFINITY, INFINITY};
        c->hi[i] = -c->lo[i];
    }
    uint16_t child = (uint16_t)(TREE_LEAF + path->slot);
    for (size_t depth = path->depth; depth-- > 0;) {
        uint16_t parent = path->nodes[depth];
        uint16_t sibling = node_other(tree_nodes(s, t)[parent], child);
        box_join_child(s, t, sibling, c->lo, c->hi, box_form_of(s));
        struct box_distance d = box_measure(c->lo, c->hi, x, box_form_of(s));
        if (d.outside <= 0) break;
        blend(s, c, x, d, d.outside / (d.outside + d.range), 1.0 / (double)(depth + 1));
        child = parent;
    }
    if (!c->lengths) scale(s, c, total);
}

static void climb_tree(const struct tree_space *s, const struct tree *t, const float *x,
                       struct climb *c) {
    struct tree_path path;
    tree_descend(s, t, x, &path);
    box_start(s, tree_point(s, tree_rows(s, t)[path.slot]), c->lo, c->hi, box_form_of(s));
    struct box_distance d = box_measure(c->lo, c->hi, x, box_form_of(s));
    if (d.outside <= 0) {
        climb_seen(s, t, &path, x, c);
        return;
    }
    memset(c->high, 0, s->dims * sizeof *c->high);
    memset(c->low, 0, s->dims * sizeof *c->low);
    climb_unseen(s, t, &path, x, c, d);
}

// Adds up the trees' shares, each with its weight.
static void climb_forest(const struct forest *f, const float *point, bool lengths, double *high,
                         double *low) {
    const struct tree_space *s = &f->space;
    float x[TREE_MAX_DIMS];
    forest_read(f, point, x);
    memset(high, 0, s->dims * sizeof *high);
    memset(low, 0, s->dims * sizeof *low);
    struct climb c;
    c.lengths = lengths;
    for (size_t i = 0; i < f->trees; i++) {
        const struct tree *t = forest_tree(f, i);
        if (t->root == TREE_EMPTY) continue;
        climb_tree(s, t, x, &c);
        double weight = (lengths ? 1 : t->log_mass) / (double)f->trees;
        for (size_t k = 0; k < s->dims; k++) {
            high[k] += c.high[k] * weight;
            low[k] += c.low[k] * weight;
        }
    }
}

void forest_attribution(const struct forest *f, const float *point, double *high, double *low) {
    climb_forest(f, point, false, high, low);
}

void forest_distance(const struct forest *f, const float *point, double *high, double *low) {
    climb_forest(f, point, true, high, low);
}

double attribution_of_row(const struct forest *f, const double *high, const double *low,
                          size_t row) {
    double sum = 0;
    for (size_t i = row * f->width; i < (row + 1) * f->width; i++)
        sum += high[i] + low[i];
    return sum;
}
