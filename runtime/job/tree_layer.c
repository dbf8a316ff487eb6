/* job/tree_layer.c - aggregation upward: groups of leaves become nodes, nodes the root. */
#include "job/tree_state.h"

#include <math.h>
#include <stdlib.h>

// --- one aggregate ---------------------------------------------------------------------------

#define COMPARE(x, y)                                                                          \
    if ((x) != (y)) return (x) < (y) ? -1 : 1

static int same_detector(const struct tree_child *a, const struct tree_child *b) {
    COMPARE(a->detector, b->detector);
    return 0;
}

static int same_group(const struct tree_child *a, const struct tree_child *b) {
    COMPARE(a->detector, b->detector);
    COMPARE(a->people, b->people);
    COMPARE(a->partition, b->partition);
    COMPARE(a->person, b->person);
    return 0;
}

// The probability decides last, so that no sum depends on the order in which rows arrived.
static int compare_children(const void *left, const void *right) {
    const struct tree_child *a = left, *b = right;
    int group = same_group(a, b);
    if (group) return group;
    COMPARE(a->p, b->p);
    return 0;
}

static void sort_children(struct tree_child *children, size_t count) {
    for (size_t i = 1; i < count; i++) {
        if (compare_children(&children[i - 1], &children[i]) <= 0) continue;
        qsort(children, count, sizeof *children, compare_children);
        return;
    }
}

/* The end of the run of children that agree with the first one. */
static size_t run_end(const struct tree_child *children, size_t from, size_t count,
                      int (*same)(const struct tree_child *, const struct tree_child *)) {
    size_t end = from + 1;
    while (end < count && same(&children[from], &children[end]) == 0)
        end++;
    return end;
}

static double combine_group(const struct tree_child *children, size_t count) {
    if (count == 1) return children->p;
    struct chance_gather g;
    chance_gather_start(&g, children->people ? &CHANCE_PEOPLE : &CHANCE_ATTRIBUTES);
    for (size_t i = 0; i < count; i++)
        chance_gather_add(&g, children[i].p);
    return chance_gather_total(&g).p;
}

/* What one detector says by all its children. */
static double combine_detector(const struct tree_child *children, size_t count) {
    struct chance_gather g;
    chance_gather_start(&g, &CHANCE_PEOPLE);
    for (size_t i = 0; i < count;) {
        size_t end = run_end(children, i, count, same_group);
        chance_gather_add(&g, combine_group(&children[i], end - i));
        i = end;
    }
    return g.count == 1 ? g.smallest[0] : chance_gather_total(&g).p;
}

static double equalize(struct tree *t, uint32_t detector, double p, bool learn) {
    if (detector == TREE_MIXED) return p;
    if (learn) equalizer_learn(&t->equalizer, detector, p);
    return equalizer_correct(&t->equalizer, detector, p);
}

struct chance_total tree_combine(struct tree *t, size_t count, bool learn) {
    struct tree_child *children = t->children;
    sort_children(children, count);
    struct chance_gather g;
    chance_gather_start(&g, &CHANCE_DETECTORS);
    for (size_t i = 0; i < count;) {
        size_t end = run_end(children, i, count, same_detector);
        double p = combine_detector(&children[i], end - i);
        chance_gather_add(&g, equalize(t, children[i].detector, p, learn));
        i = end;
    }
    struct chance_total total = chance_gather_total(&g);
    if (total.raw > 0) total.p = chance_inverse(total.raw);
    return total;
}

// --- nodes -----------------------------------------------------------------------------------

/* What the items of a layer are grouped by: all of the layers above and one thing more. */
static int compare_layer(const struct tree_item *a, const struct tree_item *b,
                         enum tree_kind layer) {
    COMPARE(a->partition_field, b->partition_field);
    if (layer == KIND_PARTITION_FIELD) return 0;
    COMPARE(a->partition, b->partition);
    if (layer == KIND_PARTITION) return 0;
    COMPARE(a->person_field, b->person_field);
    if (layer == KIND_PERSON_FIELD) return 0;
    COMPARE(a->person, b->person);
    return 0;
}

static int compare_leaves(const struct tree_item *a, const struct tree_item *b) {
    int person = compare_layer(a, b, KIND_PERSON);
    if (person) return person;
    COMPARE(a->detector, b->detector);
    COMPARE(a->result.p, b->result.p);
    COMPARE(a->leaf, b->leaf);
    return 0;
}

static int compare_order(const void *left, const void *right, void *items) {
    const struct tree_item *all = items;
    return compare_leaves(&all[*(const uint32_t *)left], &all[*(const uint32_t *)right]);
}

static bool may_group(const struct tree_item *item, enum tree_kind layer) {
    bool by_person = layer == KIND_PERSON || layer == KIND_PERSON_FIELD;
    return by_person ? item->person_field != 0 : item->partition_field != 0;
}

/* A new item over order[from .. end). */
static enum status add_node(struct tree *t, enum tree_kind kind, size_t from, size_t end,
                            struct error *err) {
    enum status status =
        tree_room(&t->items, &t->item_capacity, t->item_count + 1, sizeof *t->items, err);
    if (status != STATUS_OK) return status;
    uint32_t own = (uint32_t)t->item_count++;
    struct tree_item *node = &t->items[own];
    *node = (struct tree_item){.kind = kind,
                               .least = 1,
                               .below = 1,
                               .leaf = TREE_NONE,
                               .parent = TREE_NONE,
                               .pivot = TREE_NONE,
                               .detector = TREE_NONE};
    for (size_t i = from; i < end; i++) {
        struct tree_item *child = &t->items[t->order[i]];
        child->parent = own;
        node->least = fmin(node->least, child->least);
        node->below = fmin(node->below, child->below);
        if (i == from) {
            node->detector = child->detector;
            node->leaf = child->leaf;
            node->people = child->people;
        } else if (node->detector != child->detector) {
            node->detector = TREE_MIXED;
        }
    }
    return STATUS_OK;
}

/* What a node has of the fields that it stands for; the rest stays empty. */
static void name_node(struct tree_item *node, const struct tree_item *child) {
    if (node->kind == KIND_ROOT) return;
    node->partition_field = child->partition_field;
    if (node->kind == KIND_PARTITION || node->kind == KIND_PARTITION_FIELD) node->people = true;
    if (node->kind == KIND_PARTITION_FIELD) return;
    node->partition = child->partition;
    if (node->kind == KIND_PARTITION) return;
    node->person_field = child->person_field;
    if (node->kind == KIND_PERSON) node->person = child->person;
}

static void fill_children(struct tree *t, size_t from, size_t end) {
    for (size_t i = from; i < end; i++) {
        const struct tree_item *item = &t->items[t->order[i]];
        t->children[i - from] = (struct tree_child){
            .detector = item->detector,
            .people = item->people,
            .partition = item->partition,
            .person = item->people ? item->person : 0,
            .p = item->result.p,
        };
    }
}

static enum status group(struct tree *t, enum tree_kind kind, size_t from, size_t end,
                         bool learn, struct error *err) {
    enum status status = add_node(t, kind, from, end, err);
    if (status != STATUS_OK) return status;
    struct tree_item *node = &t->items[t->item_count - 1];
    if (end > from) name_node(node, &t->items[t->order[from]]);
    fill_children(t, from, end);
    struct chance_total total = tree_combine(t, end - from, learn);
    node->result = (struct tree_result){.p = total.p, .raw = total.raw};
    node->least = fmin(node->least, total.p);
    return STATUS_OK;
}

/* Replaces each group of several in the order by a node of its own. */
static enum status build_layer(struct tree *t, enum tree_kind layer, size_t *count, bool learn,
                               struct error *err) {
    size_t to = 0;
    for (size_t from = 0; from < *count;) {
        const struct tree_item *first = &t->items[t->order[from]];
        size_t end = from + 1;
        while (end < *count && may_group(first, layer) &&
               compare_layer(first, &t->items[t->order[end]], layer) == 0)
            end++;
        if (end - from > 1) {
            enum status status = group(t, layer, from, end, learn, err);
            if (status != STATUS_OK) return status;
            t->order[from] = (uint32_t)t->item_count - 1;
        }
        t->order[to++] = t->order[from];
        from = end;
    }
    *count = to;
    return STATUS_OK;
}

static void sort_leaves(struct tree *t) {
    for (size_t i = 0; i < t->leaves; i++)
        t->order[i] = (uint32_t)i;
    for (size_t i = 1; i < t->leaves; i++) {
        if (compare_leaves(&t->items[i - 1], &t->items[i]) <= 0) continue;
        qsort_r(t->order, t->leaves, sizeof *t->order, compare_order, t->items);
        return;
    }
}

enum status tree_build(struct tree *t, bool learn, struct error *err) {
    t->item_count = t->leaves;
    enum status status =
        tree_room(&t->order, &t->order_room, t->leaves + 1, sizeof *t->order, err);
    if (status == STATUS_OK)
        status =
            tree_room(&t->children, &t->child_room, t->leaves + 1, sizeof *t->children, err);
    if (status != STATUS_OK) return status;
    sort_leaves(t);
    size_t count = t->leaves;
    for (enum tree_kind layer = KIND_PERSON; layer < KIND_ROOT; layer++) {
        status = build_layer(t, layer, &count, learn, err);
        if (status != STATUS_OK) return status;
    }
    return group(t, KIND_ROOT, 0, count, learn, err);
}
