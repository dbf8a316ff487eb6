/* model/forest_save.c - a forest as bytes. Boxes, free lists and node numbers are left out:
 * boxes are unions of points and nothing depends on a node's number.
 *
 *     forest  sampler rebases | updates | pushed | samples of a tree now | rows of the ring |
 *             tree ...
 *     tree    random | full once | offer | samples: row, key ... | nodes, parents first:
 *             dimension, cut  or  LEAF + slot */
#include "model/forest.h"

#include <math.h>

#define LEAF 0x8000u

// --- saving ----------------------------------------------------------------------------------

static size_t rows_held(const struct forest *f) {
    return f->pushed < f->ring_limit ? (size_t)f->pushed : f->ring_limit;
}

static void save_nodes(const struct tree_space *s, const struct tree *t, struct pack *out) {
    uint16_t waiting[TREE_MAX_SAMPLES];
    size_t count = 0;
    if (t->root == TREE_EMPTY) return;
    for (uint16_t child = t->root;; child = waiting[--count]) {
        while (child < TREE_LEAF) {
            struct node n = tree_nodes(s, t)[child];
            pack_u16(out, node_dim(n));
            pack_bytes(out, &n.cut, sizeof n.cut);
            waiting[count++] = node_right(n);
            child = node_left(n);
        }
        pack_u16(out, (uint16_t)(LEAF + child - TREE_LEAF));
        if (count == 0) return;
    }
}

static void save_tree(const struct forest *f, size_t i, struct pack *out) {
    const struct tree *t = forest_tree(f, i);
    pack_u64(out, t->random.state);
    pack_u8(out, (uint8_t)t->full_once);
    pack_u64(out, f->offers[i]);
    pack_bytes(out, tree_rows(&f->space, t), f->space.samples * sizeof(uint16_t));
    pack_bytes(out, tree_keys(&f->space, t), f->space.samples * sizeof(int16_t));
    save_nodes(&f->space, t, out);
}

void forest_save(const struct forest *f, struct pack *out) {
    pack_u64(out, f->sampler.rebased);
    pack_u64(out, f->updates);
    pack_u64(out, f->pushed);
    pack_u16(out, (uint16_t)f->space.samples);
    pack_bytes(out, f->ring, rows_held(f) * f->width * sizeof *f->ring);
    for (size_t i = 0; i < f->trees; i++)
        save_tree(f, i, out);
}

// --- loading ---------------------------------------------------------------------------------

static enum status damaged(struct error *err, const char *what) {
    return fail(err, STATUS_INVALID, "the saved forest is damaged: %s", what);
}

static enum status load_ring(struct forest *f, size_t samples, struct unpack *in,
                             struct error *err) {
    size_t values = rows_held(f) * f->width;
    if (unpack_left(in) / sizeof *f->ring < values) return damaged(err, "rows are missing");
    enum status status = forest_reserve(f, rows_held(f), samples, err);
    if (status != STATUS_OK) return status;
    unpack_bytes(in, f->ring, values * sizeof *f->ring);
    for (size_t i = 0; i < values; i++)
        if (!(fabsf(f->ring[i]) <= FOREST_MAX)) return damaged(err, "a row is out of range");
    if (f->pushed > f->ring_limit)  // the rows that are repeated behind the end
        memcpy(f->ring + values, f->ring, (f->shingle - 1) * f->width * sizeof *f->ring);
    return STATUS_OK;
}

static bool load_samples(const struct forest *f, struct tree *t, struct unpack *in) {
    uint16_t *rows = tree_rows(&f->space, t);
    int16_t *keys = tree_keys(&f->space, t);
    unpack_bytes(in, rows, f->space.samples * sizeof *rows);
    unpack_bytes(in, keys, f->space.samples * sizeof *keys);
    t->size = 0;
    for (size_t i = 0; i < f->space.samples; i++) {
        bool used = rows[i] != TREE_NO_ROW;
        if (used != (keys[i] != TREE_NO_KEY)) return false;
        if (used && !forest_holds_shingle(f, rows[i])) return false;
        t->size = (uint16_t)(t->size + used);
    }
    return true;
}

// Reads one node or leaf into the place that waits for it. False when it cannot be right.
static bool load_child(const struct tree_space *s, struct tree *t, struct unpack *in,
                       uint16_t *child) {
    uint16_t code = unpack_u16(in);
    if (code & LEAF) {
        uint16_t slot = code & (uint16_t)~LEAF;
        *child = (uint16_t)(TREE_LEAF + slot);
        return slot < s->samples && tree_rows(s, t)[slot] != TREE_NO_ROW;
    }
    float cut;
    unpack_bytes(in, &cut, sizeof cut);
    if (in->failed || code >= s->dims || t->node_count >= s->samples - 1) return false;
    *child = t->node_count++;
    tree_nodes(s, t)[*child] = node_make(cut, code, 0, 0);
    return isfinite(cut);
}

// Parents first: the children of the node last read come next, left before right.
static bool load_nodes(const struct tree_space *s, struct tree *t, struct unpack *in) {
    uint16_t waiting[TREE_MAX_SAMPLES];  // nodes whose right child is still to come
    size_t count = 0;
    if (t->size == 0) return true;
    if (!load_child(s, t, in, &t->root)) return false;
    for (uint16_t node = t->root;;) {
        while (node < TREE_LEAF) {
            waiting[count++] = node;
            uint16_t left;
            if (!load_child(s, t, in, &left)) return false;
            struct node *n = &tree_nodes(s, t)[node];
            *n = node_make(n->cut, node_dim(*n), left, 0);
            node = left;
        }
        if (count == 0) return true;
        struct node *n = &tree_nodes(s, t)[waiting[--count]];
        uint16_t right;
        if (!load_child(s, t, in, &right)) return false;
        *n = node_make(n->cut, node_dim(*n), node_left(*n), right);
        node = right;
    }
}

static enum status load_tree(struct forest *f, size_t i, struct unpack *in, struct error *err) {
    struct tree *t = forest_tree(f, i);
    t->random.state = unpack_u64(in);
    t->full_once = unpack_u8(in) != 0;
    f->offers[i] = unpack_u64(in);
    if (!load_samples(f, t, in)) return damaged(err, "a sample has no row");
    if (t->full_once && f->space.samples != f->samples) return damaged(err, "a tree is short");
    if (!load_nodes(&f->space, t, in)) return damaged(err, "its nodes are no tree");
    if (!tree_settle(&f->space, t)) return damaged(err, "a cut does not separate");
    return STATUS_OK;
}

enum status forest_load(struct forest *f, struct unpack *in, struct error *err) {
    f->sampler.rebased = unpack_u64(in);
    f->updates = unpack_u64(in);
    f->pushed = unpack_u64(in);
    size_t samples = unpack_u16(in);
    if (in->failed || samples < f->space.samples || samples > f->samples)
        return damaged(err, "its trees have a wrong size");
    if (f->pushed >> 62 || f->updates > f->pushed || !sampler_fits(&f->sampler, f->updates))
        return damaged(err, "its counters are wrong");
    enum status status = load_ring(f, samples, in, err);
    for (size_t i = 0; i < f->trees && status == STATUS_OK; i++)
        status = load_tree(f, i, in, err);
    return status;
}
