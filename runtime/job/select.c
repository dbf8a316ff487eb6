/* job/select.c - the scores of a bucket's results, and which of them are written.
 * A result is written when it or something below it is improbable enough, or when it explains
 * a written one above it. Source: elastic-model, chapters 10 ("what is written") and 11. */
#include "job/tree_state.h"
#include <math.h>
#include <stdlib.h>

#define TOLERANCE 1.2  // how much more probable than the smallest an explanation may be

// --- normalisers -----------------------------------------------------------------------------

/* Whether an item stands for a partition value: the topmost node over its series. */
static bool is_partition(const struct tree *t, const struct tree_item *item) {
    if (item->kind == KIND_LEAF || item->kind > KIND_PARTITION || !item->partition_field)
        return false;
    return t->items[item->parent].kind > KIND_PARTITION;
}

/* Whether an item is a result of its own: it has a normaliser. */
static bool is_result(const struct tree *t, const struct tree_item *item) {
    return item->kind == KIND_LEAF || item->kind == KIND_ROOT || is_partition(t, item);
}

static struct tree_place place_of(const struct tree *t, const struct tree_item *item) {
    if (item->kind == KIND_ROOT) return (struct tree_place){.level = TREE_ROOT};
    return (struct tree_place){
        .level = item->kind == KIND_LEAF ? TREE_LEAF : TREE_PARTITION,
        .detector = t->items[item->leaf].detector,
        .partition = item->partition,
        .person = item->person,
    };
}

static struct tree_place pivot_place(const struct tree_pivot *pivot, enum tree_level level) {
    return (struct tree_place){
        .level = level, .field = pivot->node.field, .value = pivot->node.key};
}

static enum status learn(struct tree *t, struct tree_place place, double raw,
                         struct error *err) {
    return normalizer_learn(levels_at(&t->levels, &place), levels_scope(&t->levels, &place),
                            raw, err);
}

static double score(const struct tree *t, struct tree_place place, double raw) {
    return raw > 0 ? normalizer_score(levels_at(&t->levels, &place),
                                      levels_scope(&t->levels, &place), raw)
                   : 0;
}

/* A field's values that no leaf names, and a field that none does, were calm. */
static enum status learn_calm(struct tree *t, uint32_t field, struct error *err) {
    size_t named = 0, rooted = 0;
    for (size_t i = 0; i < t->pivot_count; i++)
        named += t->pivots[i].node.field == field;
    for (size_t i = 0; i < t->root_count; i++)
        rooted += t->pivot_roots[i].node.field == field;
    struct tree_place value = {.level = TREE_INFLUENCER, .field = field};
    struct tree_place root = {.level = TREE_BUCKET_INFLUENCER, .field = field};
    size_t calm = t->seen[field] > named ? t->seen[field] - named : 0;
    enum status status = normalizer_learn_zeros(levels_at(&t->levels, &value), calm, err);
    return status == STATUS_OK && !rooted ? learn(t, root, 0, err) : status;
}

enum status tree_learn(struct tree *t, struct error *err) {
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < t->item_count; i++) {
        const struct tree_item *item = &t->items[i];
        if (is_result(t, item) && !item->unlearned)
            status = learn(t, place_of(t, item), item->result.raw, err);
    }
    for (uint32_t f = 0; status == STATUS_OK && f < t->analysis->influencer_count; f++)
        status = learn_calm(t, f, err);
    for (size_t i = 0; status == STATUS_OK && i < t->pivot_count; i++)
        status = learn(t, pivot_place(&t->pivots[i], TREE_INFLUENCER),
                       t->pivots[i].node.result.raw, err);
    for (size_t i = 0; status == STATUS_OK && i < t->root_count; i++)
        status = learn(t, pivot_place(&t->pivot_roots[i], TREE_BUCKET_INFLUENCER),
                       t->pivot_roots[i].node.result.raw, err);
    return status;
}

static void score_all(struct tree *t) {
    for (size_t i = 0; i < t->item_count; i++) {
        struct tree_item *item = &t->items[i];
        if (is_result(t, item))
            item->result.score = score(t, place_of(t, item), item->result.raw);
    }
    for (size_t i = 0; i < t->pivot_count; i++) {
        struct tree_pivot *pivot = &t->pivots[i];
        pivot->node.result.score =
            score(t, pivot_place(pivot, TREE_INFLUENCER), pivot->node.result.raw);
    }
    for (size_t i = 0; i < t->root_count; i++) {
        struct tree_pivot *root = &t->pivot_roots[i];
        root->node.result.score =
            score(t, pivot_place(root, TREE_BUCKET_INFLUENCER), root->node.result.raw);
    }
}

// --- what is written -------------------------------------------------------------------------

static bool explains(double p, double smallest) { return p <= TOLERANCE * smallest; }

/* The nearest written result above an item, or NULL. */
static const struct tree_item *written_above(const struct tree *t,
                                             const struct tree_item *item) {
    for (uint32_t up = item->parent; up != TREE_NONE; up = t->items[up].parent)
        if (is_result(t, &t->items[up]) && t->items[up].result.written) return &t->items[up];
    return NULL;
}

/* From the root down, so that what is above an item is decided before it. */
static void select_items(struct tree *t) {
    for (size_t i = t->item_count; i-- > 0;) {
        struct tree_item *item = &t->items[i];
        if (!is_result(t, item)) continue;
        const struct tree_item *above = written_above(t, item);
        item->result.written =
            item->least < CHANCE_WRITTEN || (above && explains(item->least, above->below));
    }
}

static void select_pivots(struct tree *t) {
    for (size_t i = 0; i < t->root_count; i++)
        t->pivot_roots[i].node.result.written = t->pivot_roots[i].least < CHANCE_WRITTEN;
    for (size_t i = 0, r = 0; i < t->pivot_count; i++) {
        struct tree_pivot *pivot = &t->pivots[i];
        while (t->pivot_roots[r].node.field != pivot->node.field)
            r++;
        const struct tree_pivot *root = &t->pivot_roots[r];
        pivot->node.result.written =
            pivot->least < CHANCE_WRITTEN ||
            (root->node.result.written && explains(pivot->least, root->below));
        if (!pivot->node.result.written) continue;
        for (size_t m = 0; m < pivot->mentions; m++) {
            struct tree_item *leaf = &t->items[t->mentions[pivot->mention + m].leaf];
            if (explains(leaf->result.p, pivot->below)) leaf->result.written = true;
        }
    }
}

// --- records ---------------------------------------------------------------------------------

static int compare_p(const struct tree_item *a, const struct tree_item *b) {
    if (a->result.p != b->result.p) return a->result.p < b->result.p ? -1 : 1;
    return (a->leaf > b->leaf) - (a->leaf < b->leaf);
}

static int by_probability(const void *left, const void *right, void *items) {
    const struct tree_item *all = items;
    return compare_p(&all[*(const size_t *)left], &all[*(const size_t *)right]);
}

static int by_detector(const void *left, const void *right, void *items) {
    const struct tree_item *a = (const struct tree_item *)items + *(const size_t *)left;
    const struct tree_item *b = (const struct tree_item *)items + *(const size_t *)right;
    if (a->detector != b->detector) return a->detector < b->detector ? -1 : 1;
    return compare_p(a, b);
}

/* Beyond the limit the most probable are dropped. */
static enum status list_records(struct tree *t, size_t limit, struct error *err) {
    size_t count = 0;
    for (size_t i = 0; i < t->leaves; i++)
        count += t->items[i].result.written;
    enum status status =
        tree_room(&t->records, &t->record_room, count, sizeof *t->records, err);
    t->record_count = 0;
    if (status != STATUS_OK || count == 0) return status;
    for (size_t i = 0; i < t->leaves; i++)
        if (t->items[i].result.written) t->records[t->record_count++] = i;
    if (limit && count > limit) {
        qsort_r(t->records, count, sizeof *t->records, by_probability, t->items);
        for (size_t i = limit; i < count; i++)
            t->items[t->records[i]].result.written = false;
        t->record_count = limit;
    }
    qsort_r(t->records, t->record_count, sizeof *t->records, by_detector, t->items);
    return STATUS_OK;
}

// --- lists to read ---------------------------------------------------------------------------

static enum status show_partitions(struct tree *t, struct error *err) {
    t->partition_count = 0;
    for (size_t i = t->leaves; i < t->item_count; i++) {
        const struct tree_item *item = &t->items[i];
        if (!is_partition(t, item)) continue;
        enum status status =
            tree_room(&t->shown_partitions, &t->partition_room, t->partition_count + 1,
                      sizeof *t->shown_partitions, err);
        if (status != STATUS_OK) return status;
        t->shown_partitions[t->partition_count++] = (struct tree_node){
            .result = item->result, .key = item->partition, .leaf = item->leaf};
    }
    return STATUS_OK;
}

static enum status show_pivots(const struct tree_pivot *pivots, size_t count,
                               struct tree_node **shown, size_t *room, struct error *err) {
    enum status status = tree_room(shown, room, count, sizeof **shown, err);
    for (size_t i = 0; status == STATUS_OK && i < count; i++)
        (*shown)[i] = pivots[i].node;
    return status;
}

enum status tree_select(struct tree *t, size_t limit, struct error *err) {
    score_all(t);
    select_items(t);
    select_pivots(t);
    t->items[t->item_count - 1].result.written = true;  // the bucket itself, always
    enum status status = list_records(t, limit, err);
    if (status == STATUS_OK) status = show_partitions(t, err);
    if (status == STATUS_OK)
        status = show_pivots(t->pivots, t->pivot_count, &t->shown_pivots, &t->pivot_room, err);
    if (status == STATUS_OK)
        status =
            show_pivots(t->pivot_roots, t->root_count, &t->shown_roots, &t->root_room, err);
    return status;
}
