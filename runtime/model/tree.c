/* model/tree.c - see tree.h. */
#include "model/tree_box.h"

#include <assert.h>
#include <math.h>

// --- layout ----------------------------------------------------------------------------------

static size_t align_up(size_t size, size_t to) { return (size + to - 1) / to * to; }

void tree_space_set(struct tree_space *s, size_t dims, size_t width, size_t samples) {
    s->dims = dims;
    s->width = width;
    s->chunks = (dims + QUAD - 1) / QUAD;
    for (size_t i = 0; i < QUAD; i++)
        s->tail[i] = (s->chunks - 1) * QUAD + i < dims ? -1 : 0;
    s->samples = samples;
    s->boxes = samples / TREE_BOX_COST;
    size_t nodes = samples - 1;
    s->nodes_at = align_up(sizeof(struct tree), 8);
    s->rows_at = s->nodes_at + nodes * sizeof(struct node);
    s->keys_at = s->rows_at + samples * sizeof(uint16_t);
    s->costs_at = s->keys_at + samples * sizeof(int16_t);
    s->box_of_at = s->costs_at + s->boxes * sizeof(uint16_t);
    s->boxes_at = align_up(s->box_of_at + nodes, 16);
    s->stride = align_up(s->boxes_at + s->boxes * 2 * QUAD * s->chunks * sizeof(float), 16);
}

void tree_init(const struct tree_space *s, struct tree *t, uint64_t seed) {
    t->random.state = seed;
    t->root = t->free_node = TREE_EMPTY;
    for (size_t i = 0; i < s->samples; i++) {
        tree_rows(s, t)[i] = TREE_NO_ROW;
        tree_keys(s, t)[i] = TREE_NO_KEY;
    }
}

void tree_move(const struct tree_space *from, const struct tree *t, const struct tree_space *to,
               struct tree *out) {
    tree_init(to, out, 0);
    *out = *t;
    memcpy(tree_nodes(to, out), tree_nodes(from, t), (from->samples - 1) * sizeof(struct node));
    memcpy(tree_rows(to, out), tree_rows(from, t), from->samples * sizeof(uint16_t));
    memcpy(tree_keys(to, out), tree_keys(from, t), from->samples * sizeof(int16_t));
    memcpy(tree_box_of(to, out), tree_box_of(from, t), from->samples - 1);
    memcpy(tree_costs(to, out), tree_costs(from, t), from->boxes * sizeof(uint16_t));
    memcpy(tree_box(to, out, 0), tree_box(from, t, 0),
           from->boxes * 2 * QUAD * from->chunks * sizeof(float));
}

// --- samples ---------------------------------------------------------------------------------

static void set_size(struct tree *t, size_t size) {
    t->size = (uint16_t)size;
    t->log_mass = log2(1.0 + (double)size);
}

typedef uint16_t words __attribute__((vector_size(16)));

// Where a value first is in an array, looked for eight at a time; its size when it is not
// there.
static size_t find_value(const uint16_t *values, size_t count, uint16_t value) {
    const size_t step = sizeof(words) / sizeof(uint16_t);
    words wanted = value - (words){0};
    size_t at = 0;
    for (; at + step <= count; at += step) {
        words some;
        uint64_t halves[2];
        memcpy(&some, values + at, sizeof some);
        words equal = (words)(some == wanted);
        memcpy(halves, &equal, sizeof equal);
        if (halves[0] | halves[1]) break;
    }
    while (at < count && values[at] != value)
        at++;
    return at;
}

size_t tree_copies(const struct tree_space *s, const struct tree *t, uint16_t slot) {
    const uint16_t *rows = tree_rows(s, t);
    unsigned copies = 0;
    for (size_t i = 0; i < s->samples; i++)
        copies += rows[i] == rows[slot];
    return copies;
}

void tree_find_worst(const struct tree_space *s, struct tree *t) {
    const int16_t *keys = tree_keys(s, t);
    int16_t largest = keys[0];
    for (size_t i = 1; i < s->samples; i++)
        largest = keys[i] > largest ? keys[i] : largest;
    t->worst = (uint16_t)find_value((const uint16_t *)keys, s->samples, (uint16_t)largest);
}

static uint16_t take_slot(const struct tree_space *s, struct tree *t, uint16_t row,
                          int16_t key) {
    uint16_t slot = (uint16_t)find_value(tree_rows(s, t), s->samples, TREE_NO_ROW);
    assert(slot < s->samples);
    tree_rows(s, t)[slot] = row;
    tree_keys(s, t)[slot] = key;
    set_size(t, t->size + 1u);
    int16_t worst = t->size > 1 ? tree_keys(s, t)[t->worst] : TREE_NO_KEY;
    if (key > worst || (key == worst && slot < t->worst))
        t->worst = slot;  // the first of equals
    return slot;
}

static void give_slot(const struct tree_space *s, struct tree *t, uint16_t slot) {
    tree_rows(s, t)[slot] = TREE_NO_ROW;
    tree_keys(s, t)[slot] = TREE_NO_KEY;
    set_size(t, t->size - 1u);
    if (slot == t->worst) tree_find_worst(s, t);
}

// --- nodes -----------------------------------------------------------------------------------

static uint16_t take_node(const struct tree_space *s, struct tree *t) {
    if (t->free_node == TREE_EMPTY) return t->node_count++;
    uint16_t node = t->free_node;
    uint16_t next = node_left(tree_nodes(s, t)[node]);
    t->free_node = next == node ? TREE_EMPTY : next;  // the last of the chain names itself
    return node;
}

static void give_node(const struct tree_space *s, struct tree *t, uint16_t node) {
    uint16_t next = t->free_node == TREE_EMPTY ? node : t->free_node;
    tree_nodes(s, t)[node] = node_make(0, 0, next, 0);
    t->free_node = node;
}

// Puts `to` where `child` was, below the node at depth - 1 of a path (or at the root).
static void relink(const struct tree_space *s, struct tree *t, const struct tree_path *path,
                   size_t depth, uint16_t child, uint16_t to) {
    if (depth == 0) {
        t->root = to;
        return;
    }
    struct node *n = &tree_nodes(s, t)[path->nodes[depth - 1]];
    *n = node_left(*n) == child ? node_make(n->cut, node_dim(*n), to, node_right(*n))
                                : node_make(n->cut, node_dim(*n), node_left(*n), to);
}

void tree_descend(const struct tree_space *s, const struct tree *t, const float *x,
                  struct tree_path *path) {
    const struct node *nodes = tree_nodes(s, t);
    uint16_t child = t->root;
    size_t depth = 0;
    while (child < TREE_LEAF) {
        path->nodes[depth++] = child;
        child = node_side(nodes[child], x);
    }
    path->depth = (uint16_t)depth;
    path->slot = (uint16_t)(child - TREE_LEAF);
}

// --- boxes -----------------------------------------------------------------------------------

// What reading the box of a child costs: leaves and boxes to look at.
static size_t reads_of(const struct tree_space *s, const struct tree *t, uint16_t child) {
    const struct node *nodes = tree_nodes(s, t);
    const uint8_t *box_of = tree_box_of(s, t);
    uint16_t waiting[TREE_MAX_SAMPLES];
    size_t count = 0, reads = 0;
    for (;;) {
        if (child < TREE_LEAF && !box_of[child]) {
            waiting[count++] = node_right(nodes[child]);
            child = node_left(nodes[child]);
            continue;
        }
        reads++;
        if (count == 0) return reads;
        child = waiting[--count];
    }
}

// The box of a node from below, whether it keeps one or not.
static void gather_box(const struct tree_space *s, const struct tree *t, uint16_t node,
                       quad *lo, quad *hi) {
    struct node n = tree_nodes(s, t)[node];
    for (size_t c = 0; c < s->chunks; c++) {
        lo[c] = (quad){INFINITY, INFINITY, INFINITY, INFINITY};
        hi[c] = -lo[c];
    }
    box_join_child(s, t, node_left(n), lo, hi, box_form_of(s));
    box_join_child(s, t, node_right(n), lo, hi, box_form_of(s));
}

// The cost of the nearest node with a box above a depth of a path; NULL when there is none.
static uint16_t *cost_above(const struct tree_space *s, struct tree *t,
                            const struct tree_path *path, size_t depth) {
    const uint8_t *box_of = tree_box_of(s, t);
    while (depth-- > 0) {
        uint8_t box = box_of[path->nodes[depth]];
        if (box) return &tree_costs(s, t)[box - 1];
    }
    return NULL;
}

// Gives a node a box that stands for `cost` reads; without a free slot it goes without.
static bool keep_box(const struct tree_space *s, struct tree *t, uint16_t node, size_t cost) {
    uint16_t *costs = tree_costs(s, t);
    size_t box = 0;
    while (box < s->boxes && costs[box])
        box++;
    if (box == s->boxes) return false;
    quad lo[TREE_MAX_DIMS / QUAD], hi[TREE_MAX_DIMS / QUAD];
    gather_box(s, t, node, lo, hi);
    box_store(tree_box(s, t, box), lo, hi, box_form_of(s));
    costs[box] = (uint16_t)cost;
    tree_box_of(s, t)[node] = (uint8_t)(box + 1);
    return true;
}

static void drop_box(const struct tree_space *s, struct tree *t, uint16_t node) {
    uint8_t *box_of = tree_box_of(s, t);
    tree_costs(s, t)[box_of[node] - 1] = 0;
    box_of[node] = 0;
}

// After an insertion at `depth` of the path: the first node on the way up that has become
// expensive to read gets a box.
static void box_grown_node(const struct tree_space *s, struct tree *t,
                           const struct tree_path *path, size_t depth) {
    const struct node *nodes = tree_nodes(s, t);
    uint16_t node = path->nodes[depth];
    size_t cost =
        reads_of(s, t, node_left(nodes[node])) + reads_of(s, t, node_right(nodes[node]));
    while (cost < TREE_BOX_COST) {
        if (depth == 0) return;
        uint16_t parent = path->nodes[--depth];
        if (tree_box_of(s, t)[parent]) return;
        cost += reads_of(s, t, node_other(nodes[parent], node));
        node = parent;
    }
    uint16_t *above = cost_above(s, t, path, depth);
    if (keep_box(s, t, node, cost) && above) *above = (uint16_t)(*above - (cost - 1));
}

// --- insertion -------------------------------------------------------------------------------

// A place for a new leaf: above the node or leaf at `depth` of a path.
struct split {
    size_t depth;
    size_t dim;
    float cut;
};

// The cut at position `at`, 0 <= at < outside, on the parts of x's extent outside of a box.
static void choose_cut(const struct tree_space *s, const quad *lo, const quad *hi,
                       const float *x, double at, struct split *out) {
    float from = 0, to = 0;
    for (size_t i = 0; i < s->dims; i++) {
        // NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign): a box has a chunk at least
        float low = lo[i / QUAD][i % QUAD], high = hi[i / QUAD][i % QUAD];
        if (x[i] >= low && x[i] <= high) continue;
        if (at < 0) break;  // found before
        from = x[i] < low ? x[i] : high;
        to = x[i] < low ? low : x[i];
        out->dim = i;  // stays the last one outside when rounding carries `at` past all
        double side = (double)(to - from);
        at -= side;
        if (at < 0) out->cut = (float)((double)from + (at + side));
    }
    if (at >= 0 || out->cut >= to) out->cut = nextafterf(to, -INFINITY);
    if (out->cut < from) out->cut = from;
}

// Draws where x is separated from the tree: going up, every node's box separates x with the
// probability (1), and the topmost separation wins. That is the distribution of a draw from the
// top, but it needs boxes only until one contains x. False when x equals the leaf.
QUAD_INLINE bool draw_split(const struct tree_space *s, struct tree *t,
                            const struct tree_path *path, const float *x, struct split *out,
                            quad *lo, quad *hi, struct box_form form) {
    box_start(s, tree_point(s, tree_rows(s, t)[path->slot]), lo, hi, form);
    struct box_distance d = box_measure(lo, hi, x, form);
    if (d.outside <= 0) return false;
    uint16_t child = (uint16_t)(TREE_LEAF + path->slot);
    for (size_t depth = path->depth;; depth--) {
        double at = random_unit(&t->random) * (d.outside + d.range);
        if (at < d.outside) {
            out->depth = depth;
            choose_cut(s, lo, hi, x, at, out);
        }
        if (depth == 0) return true;
        uint16_t parent = path->nodes[depth - 1];
        box_climb(s, t, parent, child, lo, hi, form);
        d = box_measure(lo, hi, x, form);
        if (d.outside <= 0) return true;
        child = parent;
    }
}

static bool draw_short_split(const struct tree_space *s, struct tree *t,
                             const struct tree_path *path, const float *x, struct split *out) {
    quad lo[2], hi[2];
    return draw_split(s, t, path, x, out, lo, hi, box_of_eight);
}

static bool draw_long_split(const struct tree_space *s, struct tree *t,
                            const struct tree_path *path, const float *x, struct split *out) {
    quad lo[TREE_MAX_DIMS / QUAD], hi[TREE_MAX_DIMS / QUAD];
    return draw_split(s, t, path, x, out, lo, hi, box_form_of(s));
}

// Extends the boxes above a depth of the path by a point, up to the first that contains it.
static void extend_boxes(const struct tree_space *s, struct tree *t,
                         const struct tree_path *path, size_t depth, const float *x) {
    const uint8_t *box_of = tree_box_of(s, t);
    while (depth-- > 0) {
        uint8_t box = box_of[path->nodes[depth]];
        if (!box) continue;
        float *bounds = tree_box(s, t, box - 1u);
        bool contained = true;
        for (size_t c = 0; c < s->chunks; c++) {
            float *low = bounds + QUAD * c, *high = bounds + QUAD * (s->chunks + c);
            for (size_t i = 0; i < QUAD; i++) {
                float v = x[QUAD * c + i];
                contained &= v >= low[i] && v <= high[i];
                if (v < low[i]) low[i] = v;
                if (v > high[i]) high[i] = v;
            }
        }
        if (contained) return;
    }
}

// A copy of a point that the tree holds: all copies move to the newest row, which the ring
// keeps longest.
static void insert_copy(const struct tree_space *s, struct tree *t, uint16_t leaf_slot,
                        uint16_t row, int16_t key) {
    uint16_t *rows = tree_rows(s, t);
    uint16_t old = rows[leaf_slot];
    for (size_t i = 0; i < s->samples; i++)
        rows[i] = rows[i] == old ? row : rows[i];
    take_slot(s, t, row, key);
}

static void read_point(const struct tree_space *s, uint16_t row, float *x) {
    memset(x + QUAD * (s->chunks - 1), 0, QUAD * sizeof *x);
    memcpy(x, tree_point(s, row), s->dims * sizeof *x);
}

void tree_insert(const struct tree_space *s, struct tree *t, uint16_t row, int16_t key) {
    float x[TREE_MAX_DIMS];
    read_point(s, row, x);
    if (t->root == TREE_EMPTY) {
        t->root = (uint16_t)(TREE_LEAF + take_slot(s, t, row, key));
        return;
    }
    struct tree_path path;
    tree_descend(s, t, x, &path);
    struct split split = {0};
    bool apart = box_is_of_eight(s) ? draw_short_split(s, t, &path, x, &split)
                                    : draw_long_split(s, t, &path, x, &split);
    if (!apart) {
        insert_copy(s, t, path.slot, row, key);
        return;
    }
    uint16_t leaf = (uint16_t)(TREE_LEAF + take_slot(s, t, row, key));
    uint16_t old =
        split.depth < path.depth ? path.nodes[split.depth] : (uint16_t)(TREE_LEAF + path.slot);
    uint16_t node = take_node(s, t);
    bool left = x[split.dim] <= split.cut;
    tree_nodes(s, t)[node] =
        node_make(split.cut, split.dim, left ? leaf : old, left ? old : leaf);
    relink(s, t, &path, split.depth, old, node);
    path.nodes[split.depth] = node;
    uint16_t *above = cost_above(s, t, &path, split.depth);
    if (above) (*above)++;
    extend_boxes(s, t, &path, split.depth, x);
    box_grown_node(s, t, &path, split.depth);
}

// --- deletion --------------------------------------------------------------------------------

static bool touches(const struct tree_space *s, const float *box, const float *x) {
    bool touched = false;
    for (size_t i = 0; i < s->dims; i++)
        touched |= x[i] <= box[i] || x[i] >= box[QUAD * s->chunks + i];
    return touched;
}

// Rebuilds the boxes above a depth of the path that a removed point has touched, upwards until
// one did not change: those above hold the same points at their sides as before.
static void shrink_boxes(const struct tree_space *s, struct tree *t,
                         const struct tree_path *path, size_t depth, const float *x) {
    const uint8_t *box_of = tree_box_of(s, t);
    quad lo[TREE_MAX_DIMS / QUAD], hi[TREE_MAX_DIMS / QUAD];
    while (depth-- > 0) {
        uint8_t box = box_of[path->nodes[depth]];
        if (!box) continue;
        float *bounds = tree_box(s, t, box - 1u);
        if (!touches(s, bounds, x)) return;
        gather_box(s, t, path->nodes[depth], lo, hi);
        bool same = true;
        for (size_t c = 0; c < s->chunks; c++)
            same &= quad_equal(lo[c], quad_load(bounds + QUAD * c)) &&
                    quad_equal(hi[c], quad_load(bounds + QUAD * (s->chunks + c)));
        if (same) return;
        box_store(bounds, lo, hi, box_form_of(s));
    }
}

// The leaf below path->nodes[depth] is gone with that node: what stands above reads less.
static void lower_cost(const struct tree_space *s, struct tree *t, const struct tree_path *path,
                       size_t depth) {
    uint16_t *above = cost_above(s, t, path, depth);
    uint8_t box = tree_box_of(s, t)[path->nodes[depth]];
    if (!box) {
        if (above) (*above)--;
        return;
    }
    size_t cost = tree_costs(s, t)[box - 1];  // the leaf's read and the sibling's
    if (above) *above = (uint16_t)(*above + cost - 2);
    drop_box(s, t, path->nodes[depth]);
}

// A box that has become cheap to read is given back.
static void drop_cheap_box(const struct tree_space *s, struct tree *t,
                           const struct tree_path *path, size_t depth) {
    const uint8_t *box_of = tree_box_of(s, t);
    while (depth > 0 && !box_of[path->nodes[depth - 1]])
        depth--;
    if (depth == 0) return;
    size_t cost = tree_costs(s, t)[box_of[path->nodes[depth - 1]] - 1];
    if (cost >= TREE_BOX_KEEP) return;
    uint16_t *above = cost_above(s, t, path, depth - 1);
    if (above) *above = (uint16_t)(*above + cost - 1);
    drop_box(s, t, path->nodes[depth - 1]);
}

static void delete_leaf(const struct tree_space *s, struct tree *t,
                        const struct tree_path *path, const float *x) {
    if (path->depth == 0) {
        t->root = TREE_EMPTY;
        return;
    }
    size_t depth = path->depth - 1u;
    uint16_t parent = path->nodes[depth];
    uint16_t leaf = (uint16_t)(TREE_LEAF + path->slot);
    lower_cost(s, t, path, depth);
    relink(s, t, path, depth, parent, node_other(tree_nodes(s, t)[parent], leaf));
    give_node(s, t, parent);
    shrink_boxes(s, t, path, depth, x);
    drop_cheap_box(s, t, path, depth);
}

void tree_delete(const struct tree_space *s, struct tree *t, uint16_t slot) {
    float x[TREE_MAX_DIMS];
    uint16_t row = tree_rows(s, t)[slot];
    read_point(s, row, x);
    struct tree_path path;
    tree_descend(s, t, x, &path);
    assert(tree_rows(s, t)[path.slot] == row);
    give_slot(s, t, slot);
    size_t copy = find_value(tree_rows(s, t), s->samples, row);
    if (copy == s->samples)
        delete_leaf(s, t, &path, x);
    else if (path.slot == slot)
        relink(s, t, &path, path.depth, (uint16_t)(TREE_LEAF + slot),
               (uint16_t)(TREE_LEAF + copy));
}

// --- a tree from a snapshot ------------------------------------------------------------------

// Whether the cuts lead every point to a leaf of its own row, and every leaf's to that leaf.
static bool leads_home(const struct tree_space *s, const struct tree *t) {
    const uint16_t *rows = tree_rows(s, t);
    float x[TREE_MAX_DIMS];
    struct tree_path path;
    size_t leaves = 0;
    for (size_t slot = 0; slot < s->samples; slot++) {
        if (rows[slot] == TREE_NO_ROW) continue;
        read_point(s, rows[slot], x);
        tree_descend(s, t, x, &path);
        if (rows[path.slot] != rows[slot]) return false;
        leaves += path.slot == slot;
    }
    return leaves == (t->root == TREE_EMPTY ? 0 : t->node_count + 1u);
}

bool tree_settle(const struct tree_space *s, struct tree *t) {
    if (!leads_home(s, t)) return false;
    const struct node *nodes = tree_nodes(s, t);
    for (uint16_t node = t->node_count; node-- > 0;) {
        size_t cost =
            reads_of(s, t, node_left(nodes[node])) + reads_of(s, t, node_right(nodes[node]));
        if (cost >= TREE_BOX_COST) keep_box(s, t, node, cost);
    }
    set_size(t, t->size);
    if (t->size > 0) tree_find_worst(s, t);
    return true;
}
