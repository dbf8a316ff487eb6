/* job/pivot.c - one node per influencer value, over all leaves that name it, and one per
 * influencer field over its values. Source: elastic-model, chapter 10. */
#include "job/tree_state.h"
#include <math.h>
#include <stdlib.h>

#define COMPARE(x, y)                                                                          \
    if ((x) != (y)) return (x) < (y) ? -1 : 1

static int compare_mentions(const void *left, const void *right) {
    const struct tree_mention *a = left, *b = right;
    COMPARE(a->field, b->field);
    COMPARE(a->value, b->value);
    COMPARE(a->leaf, b->leaf);
    COMPARE(a->influence, b->influence);
    return 0;
}

static enum status list_mentions(struct tree *t, struct error *err) {
    enum status status =
        tree_room(&t->mentions, &t->mention_room, t->influence_count, sizeof *t->mentions, err);
    if (status != STATUS_OK) return status;
    size_t count = 0;
    for (size_t leaf = 0; leaf < t->leaves; leaf++)
        for (size_t i = 0; i < t->items[leaf].influences; i++) {
            const struct tree_influence *named = &t->influences[t->items[leaf].influence + i];
            t->mentions[count++] = (struct tree_mention){
                named->field, (uint32_t)leaf, named->value, i, fmax(named->p, CHANCE_SMALLEST)};
        }
    if (count) qsort(t->mentions, count, sizeof *t->mentions, compare_mentions);
    return STATUS_OK;
}

// --- one pivot -------------------------------------------------------------------------------

/* Whether an item is of the influencer's own value: "region = eu" stands for its children. */
static bool is_value(const struct tree *t, const struct tree_item *item, uint32_t field,
                     uint64_t value) {
    uint32_t name = t->levels.influencers[field];
    if (name == 0) return false;
    return (item->partition_field == name && item->partition == value) ||
           (item->person_field == name && item->person == value);
}

/* The item that stands in the pivot for a leaf: the topmost node of the influencer's own value
 * above it, or the leaf. */
static uint32_t standing(const struct tree *t, const struct tree_mention *m) {
    uint32_t stands = m->leaf;
    for (uint32_t up = t->items[m->leaf].parent; up != TREE_NONE; up = t->items[up].parent)
        if (is_value(t, &t->items[up], m->field, m->value)) stands = up;
    return stands;
}

static void note_child(struct tree_pivot *pivot, const struct tree_item *item, double p,
                       bool first) {
    pivot->least = fmin(pivot->least, p);
    if (first)
        pivot->detector = item->detector;
    else if (pivot->detector != item->detector)
        pivot->detector = TREE_MIXED;
}

static size_t fill_children(struct tree *t, struct tree_pivot *pivot, uint32_t number) {
    size_t count = 0;
    for (size_t i = 0; i < pivot->mentions; i++) {
        const struct tree_mention *m = &t->mentions[pivot->mention + i];
        uint32_t stands = standing(t, m);
        struct tree_item *item = &t->items[stands];
        pivot->below = fmin(pivot->below, t->items[m->leaf].result.p);
        if (item->pivot == number) continue;
        item->pivot = number;
        double p = stands == m->leaf ? m->p : item->result.p;
        note_child(pivot, item, p, count == 0);
        t->children[count++] = (struct tree_child){
            .detector = item->detector,
            .people = item->people,
            .partition = item->partition,
            .person = item->people ? item->person : 0,
            .p = p,
        };
    }
    return count;
}

static void finish(struct tree_pivot *pivot, struct chance_total total) {
    pivot->node.result = (struct tree_result){.p = total.p, .raw = total.raw};
    pivot->least = fmin(pivot->least, total.p);
}

static enum status add_pivot(struct tree *t, size_t from, size_t end, bool learn,
                             struct error *err) {
    enum status status =
        tree_room(&t->pivots, &t->pivot_capacity, t->pivot_count + 1, sizeof *t->pivots, err);
    if (status != STATUS_OK) return status;
    const struct tree_mention *m = &t->mentions[from];
    struct tree_pivot *pivot = &t->pivots[t->pivot_count];
    *pivot = (struct tree_pivot){
        .node = {.field = m->field,
                 .key = m->value,
                 .leaf = m->leaf,
                 .influence = m->influence},
        .least = 1,
        .below = 1,
        .mention = from,
        .mentions = end - from,
    };
    size_t count = fill_children(t, pivot, (uint32_t)t->pivot_count++);
    finish(pivot, tree_combine(t, count, learn));
    return STATUS_OK;
}

// --- all of them -----------------------------------------------------------------------------

static enum status add_pivots(struct tree *t, bool learn, struct error *err) {
    t->pivot_count = 0;
    for (size_t from = 0; from < t->influence_count;) {
        const struct tree_mention *first = &t->mentions[from];
        size_t end = from + 1;
        while (end < t->influence_count && t->mentions[end].field == first->field &&
               t->mentions[end].value == first->value)
            end++;
        enum status status = add_pivot(t, from, end, learn, err);
        if (status != STATUS_OK) return status;
        from = end;
    }
    return STATUS_OK;
}

/* The root over the pivots [from, end), all of one field. */
static enum status add_root(struct tree *t, size_t from, size_t end, bool learn,
                            struct error *err) {
    enum status status = tree_room(&t->pivot_roots, &t->root_capacity, t->root_count + 1,
                                   sizeof *t->pivot_roots, err);
    if (status == STATUS_OK)
        status = tree_room(&t->children, &t->child_room, end - from, sizeof *t->children, err);
    if (status != STATUS_OK) return status;
    struct tree_pivot *root = &t->pivot_roots[t->root_count++];
    const struct tree_node *first = &t->pivots[from].node;
    *root = (struct tree_pivot){
        .node = {.field = first->field, .leaf = first->leaf, .influence = first->influence},
        .least = 1,
        .below = 1,
    };
    for (size_t i = from; i < end; i++) {
        const struct tree_pivot *pivot = &t->pivots[i];
        root->least = fmin(root->least, pivot->least);
        root->below = fmin(root->below, pivot->least);
        t->children[i - from] = (struct tree_child){
            .detector = pivot->detector,
            .people = true,
            .partition = pivot->node.key,
            .p = pivot->node.result.p,
        };
    }
    finish(root, tree_combine(t, end - from, learn));
    return STATUS_OK;
}

enum status tree_pivot(struct tree *t, bool learn, struct error *err) {
    enum status status = list_mentions(t, err);
    if (status == STATUS_OK) status = add_pivots(t, learn, err);
    t->root_count = 0;
    for (size_t from = 0; status == STATUS_OK && from < t->pivot_count;) {
        size_t end = from + 1;
        while (end < t->pivot_count && t->pivots[end].node.field == t->pivots[from].node.field)
            end++;
        status = add_root(t, from, end, learn, err);
        from = end;
    }
    return status;
}
