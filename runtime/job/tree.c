#include "job/tree.h"

#include "job/tree_state.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DECAY 0.0005  // of the equaliser, per half hour or bucket, whichever is shorter
#define HALF_HOUR_S 1800.0

enum status tree_room(void *array, size_t *capacity, size_t count, size_t width,
                      struct error *err) {
    if (count <= *capacity) return STATUS_OK;
    size_t room = *capacity ? *capacity : 16;
    while (room < count)
        room *= 2;
    void *old, *grown;
    memcpy(&old, array, sizeof old);
    grown = realloc(old, room * width);
    if (!grown)
        return fail(err, STATUS_NO_MEMORY, "no memory for a bucket's %zu results", room);
    memcpy(array, &grown, sizeof grown);
    *capacity = room;
    return STATUS_OK;
}

// --- life ------------------------------------------------------------------------------------

enum status tree_new(const struct analysis *a, struct tree **out, struct error *err) {
    *out = NULL;
    struct tree *t = calloc(1, sizeof *t);
    if (!t) return fail(err, STATUS_NO_MEMORY, "no memory for a job's results");
    t->analysis = a;
    t->fade = exp(-DECAY * fmin((double)a->bucket_span_s / HALF_HOUR_S, 1));
    t->seen = calloc(a->influencer_count + 1, sizeof *t->seen);
    enum status status = t->seen ? levels_start(&t->levels, a, err)
                                 : fail(err, STATUS_NO_MEMORY, "no memory for influencers");
    if (status == STATUS_OK) status = equalizer_start(&t->equalizer, a->detector_count, err);
    if (status != STATUS_OK) {
        tree_free(t);
        return status;
    }
    tree_clear(t);
    *out = t;
    return STATUS_OK;
}

void tree_free(struct tree *t) {
    if (!t) return;
    levels_free(&t->levels);
    equalizer_free(&t->equalizer);
    void *held[] = {t->items,       t->influences,   t->seen,        t->pivots,
                    t->pivot_roots, t->shown_pivots, t->shown_roots, t->records,
                    t->order,       t->children,     t->mentions,    t->shown_partitions};
    for (size_t i = 0; i < sizeof held / sizeof *held; i++)
        free(held[i]);
    free(t);
}

// --- a bucket --------------------------------------------------------------------------------

void tree_clear(struct tree *t) {
    t->leaves = t->item_count = t->influence_count = 0;
    t->pivot_count = t->root_count = t->partition_count = t->record_count = 0;
    for (size_t i = 0; i < t->analysis->influencer_count; i++)
        t->seen[i] = 1;
}

static enum status check_leaf(const struct tree *t, const struct tree_leaf *leaf,
                              struct error *err) {
    if (leaf->detector >= t->analysis->detector_count)
        return fail(err, STATUS_INVALID, "there is no detector %u", leaf->detector);
    if (!(leaf->p >= 0 && leaf->p <= 1))
        return fail(err, STATUS_INVALID, "%g is no probability", leaf->p);
    for (size_t i = 0; i < leaf->influence_count; i++) {
        const struct tree_influence *influence = &leaf->influences[i];
        if (influence->field >= t->analysis->influencer_count)
            return fail(err, STATUS_INVALID, "there is no influencer %u", influence->field);
        if (!(influence->p >= 0 && influence->p <= 1))
            return fail(err, STATUS_INVALID, "%g is no probability", influence->p);
    }
    return STATUS_OK;
}

static void fill_leaf(const struct tree *t, const struct tree_leaf *leaf,
                      struct tree_item *item) {
    const struct levels_detector *d = &t->levels.detectors[leaf->detector];
    double p = fmax(leaf->p, CHANCE_SMALLEST);
    *item = (struct tree_item){
        .kind = KIND_LEAF,
        .people = d->population,
        .unlearned = leaf->unlearned,
        .detector = leaf->detector,
        .partition_field = d->partition_field,
        .person_field = d->person_field,
        .partition = d->partition_field ? leaf->partition : 0,
        .person = d->person_field ? leaf->person : 0,
        .result = {.p = p, .raw = chance_score(p)},
        .least = p,
        .below = p,
        .parent = TREE_NONE,
        .leaf = (uint32_t)t->leaves,
        .pivot = TREE_NONE,
        .influence = t->influence_count,
        .influences = leaf->influence_count,
    };
}

enum status tree_add(struct tree *t, const struct tree_leaf *leaf, struct error *err) {
    enum status status = check_leaf(t, leaf, err);
    if (status == STATUS_OK)
        status = tree_room(&t->items, &t->item_capacity, t->leaves + 1, sizeof *t->items, err);
    if (status == STATUS_OK)
        status =
            tree_room(&t->influences, &t->influence_capacity,
                      t->influence_count + leaf->influence_count, sizeof *t->influences, err);
    if (status != STATUS_OK) return status;
    fill_leaf(t, leaf, &t->items[t->leaves]);
    if (leaf->influence_count)
        memcpy(&t->influences[t->influence_count], leaf->influences,
               leaf->influence_count * sizeof *t->influences);
    t->influence_count += leaf->influence_count;
    t->item_count = ++t->leaves;
    return STATUS_OK;
}

enum status tree_see(struct tree *t, uint32_t field, size_t values, struct error *err) {
    if (field >= t->analysis->influencer_count)
        return fail(err, STATUS_INVALID, "there is no influencer %u", field);
    t->seen[field] = values;
    return STATUS_OK;
}

enum status tree_close(struct tree *t, bool interim, size_t record_limit, struct error *err) {
    if (!interim) {
        levels_age(&t->levels);
        equalizer_age(&t->equalizer, t->fade);
    }
    enum status status = tree_build(t, !interim, err);
    if (status == STATUS_OK) status = tree_pivot(t, !interim, err);
    if (status == STATUS_OK && !interim) status = tree_learn(t, err);
    if (status == STATUS_OK) status = tree_select(t, record_limit, err);
    return status;
}

// --- results ---------------------------------------------------------------------------------

struct tree_result tree_root(const struct tree *t) {
    return t->items[t->item_count - 1].result;
}

double tree_score(const struct tree *t) {
    double score = tree_root(t).score;
    for (size_t i = 0; i < t->root_count; i++)
        if (t->shown_roots[i].result.written)
            score = fmax(score, t->shown_roots[i].result.score);
    return score;
}

size_t tree_leaf_count(const struct tree *t) { return t->leaves; }

struct tree_result tree_leaf_result(const struct tree *t, size_t leaf) {
    return t->items[leaf].result;
}

const size_t *tree_records(const struct tree *t, size_t *count) {
    *count = t->record_count;
    return t->records;
}

const struct tree_node *tree_partitions(const struct tree *t, size_t *count) {
    *count = t->partition_count;
    return t->shown_partitions;
}

const struct tree_node *tree_pivots(const struct tree *t, size_t *count) {
    *count = t->pivot_count;
    return t->shown_pivots;
}

const struct tree_node *tree_pivot_roots(const struct tree *t, size_t *count) {
    *count = t->root_count;
    return t->shown_roots;
}

// --- what lasts ------------------------------------------------------------------------------

bool tree_scores_changed(const struct tree *t) { return levels_moved(&t->levels); }

double tree_rescore(const struct tree *t, const struct tree_place *place, double p) {
    return normalizer_score(levels_at(&t->levels, place), levels_scope(&t->levels, place),
                            chance_score(p));
}

bool tree_score_moved(double stored, double now) {
    if (floor(fmin(stored, 99) / 25) != floor(fmin(now, 99) / 25)) return true;
    if (fabs(stored - now) >= 1.5) return true;
    return fmin(stored, now) < 0.33 * fmax(stored, now);
}

void tree_save(const struct tree *t, struct pack *p) {
    levels_save(&t->levels, p);
    equalizer_save(&t->equalizer, p);
}

enum status tree_load(struct tree *t, struct unpack *u, struct error *err) {
    enum status status = levels_load(&t->levels, u, err);
    return status == STATUS_OK ? equalizer_load(&t->equalizer, u, err) : status;
}
