/* job/raise.c - from items to the leaves of the tree: one per detector, partition and person.
 *
 *     mean(took) by page             person = page: the items of one cell
 *     mean(took) by page over user   person = user: the items of all its pages */
#include "frame/key.h"
#include "job/close.h"
#include "model/chance.h"

#include <math.h>

#define WORTH_BLAMING 0.1  // what is likelier names no influencers

static enum status no_memory(struct error *err) {
    return fail(err, STATUS_NO_MEMORY, "no memory for the results of a bucket");
}

uint64_t job_text_key(struct text text) {
    uint64_t hash[2];
    key_hash(text.data, text.size, 0, hash);
    return hash[0] ? hash[0] : 1;
}

uint64_t job_key(const struct job *job, uint32_t text) {
    return text == GATHER_NONE ? 0 : job_text_key(job_text(job, text));
}

// --- which items make a leaf ----------------------------------------------------------------

static const struct gather_cell *cell_of(const struct job *job, size_t item) {
    const struct job_item *i = &job->items.at[item];
    return gather_cell(job->gather, i->detector, i->cell);
}

static bool same_leaf(const struct job *job, size_t a, size_t b) {
    const struct job_item *x = &job->items.at[a], *y = &job->items.at[b];
    if (x->detector != y->detector) return false;
    if (x->cell == y->cell) return true;
    if (!job->analysis->detectors[x->detector].over) return false;
    const struct gather_cell *p = cell_of(job, a), *q = cell_of(job, b);
    return p->partition == q->partition && p->over == q->over;
}

// Items of a population come by model; leaves want them by person. qsort has no context.
struct person_item {
    uint32_t partition, over, item;
};

static int by_person(const void *a, const void *b) {
    const struct person_item *x = a, *y = b;
    if (x->partition != y->partition) return x->partition < y->partition ? -1 : 1;
    if (x->over != y->over) return x->over < y->over ? -1 : 1;
    return x->item < y->item ? -1 : x->item > y->item;
}

static enum status sort_persons(struct job *job, size_t first, struct error *err) {
    size_t count = job->order.count - first;
    if (count < 2) return STATUS_OK;
    struct person_item *persons = malloc(count * sizeof *persons);
    if (!persons) return no_memory(err);
    for (size_t i = 0; i < count; i++) {
        size_t item = job->order.at[first + i];
        const struct gather_cell *cell = cell_of(job, item);
        persons[i] = (struct person_item){cell->partition, cell->over, (uint32_t)item};
    }
    qsort(persons, count, sizeof *persons, by_person);
    for (size_t i = 0; i < count; i++)
        job->order.at[first + i] = persons[i].item;
    free(persons);
    return STATUS_OK;
}

// Puts the items in the order of their leaves; those without a say are left out.
static enum status order_items(struct job *job, struct error *err) {
    job->order.count = 0;
    enum status status = STATUS_OK;
    size_t item = 0;
    for (uint32_t d = 0; d < job->analysis->detector_count && status == STATUS_OK; d++) {
        size_t first = job->order.count;
        for (; item < job->items.count && job->items.at[item].detector == d; item++) {
            if (!job->items.at[item].valued || job->items.at[item].muted) continue;
            size_t *place = index_list_add(&job->order);
            if (!place) return no_memory(err);
            *place = item;
        }
        if (job->analysis->detectors[d].over) status = sort_persons(job, first, err);
    }
    return status;
}

// --- the probability of a leaf --------------------------------------------------------------

static bool counts_events(const struct job *job, const struct job_item *item) {
    enum statistic s = job_feature(job, item)->statistic;
    return s == STATISTIC_COUNT || s == STATISTIC_DISTINCT || s == STATISTIC_INFO ||
           s == STATISTIC_INDICATOR || s == STATISTIC_TIME;
}

// What a person did often weighs more: freq_rare.
static double weight_of(const struct job *job, const struct job_leaf *leaf,
                        const struct job_item *item, double events) {
    if (job->analysis->detectors[leaf->detector].function != FUNCTION_FREQ_RARE) return 1;
    return events > 0 ? category_weight(fmin(item->count / events, 1), leaf->items) : 1;
}

static double events_of(const struct job *job, const struct job_leaf *leaf) {
    double events = 0;
    for (size_t i = 0; i < leaf->items; i++)
        events += job->items.at[job->order.at[leaf->first + i]].count;
    return events;
}

// Event rates: the joint probability. Metrics: the smaller of joint and extreme.
static void judge_leaf(const struct job *job, struct job_leaf *leaf) {
    struct chance_joint joint = {0};
    double smallest = 2, events = events_of(job, leaf);
    for (size_t i = 0; i < leaf->items; i++) {
        size_t at = job->order.at[leaf->first + i];
        double p = job->items.at[at].p;
        chance_joint_add(&joint, p, weight_of(job, leaf, &job->items.at[at], events));
        if (p >= smallest) continue;
        smallest = p;
        leaf->worst = at;
    }
    if (leaf->items == 1) {
        leaf->p = smallest;
        return;
    }
    double ln_p = chance_joint_ln(&joint);
    if (!counts_events(job, &job->items.at[leaf->worst]))
        ln_p = fmin(ln_p, chance_extreme_ln(smallest, leaf->items));
    leaf->p = fmin(fmax(exp(ln_p), CHANCE_SMALLEST), 1);
}

static enum status add_leaf(struct job *job, size_t first, size_t count, struct error *err) {
    struct job_leaf *leaf = leaf_list_add(&job->leaves);
    if (!leaf) return no_memory(err);
    const struct job_item *item = &job->items.at[job->order.at[first]];
    const struct gather_cell *cell = cell_of(job, job->order.at[first]);
    *leaf = (struct job_leaf){.detector = item->detector,
                              .partition = cell->partition,
                              .by = cell->by,
                              .over = cell->over,
                              .first = first,
                              .items = count};
    judge_leaf(job, leaf);
    if (leaf->p >= WORTH_BLAMING || job->analysis->influencer_count == 0) return STATUS_OK;
    return job_blame(job, leaf, err);
}

// --- the tree -------------------------------------------------------------------------------

static enum status name_influences(struct job *job, const struct job_leaf *leaf,
                                   struct error *err) {
    job->named.count = 0;
    for (size_t i = 0; i < leaf->influences; i++) {
        const struct job_influence *in = &job->influences.at[leaf->first_influence + i];
        struct tree_influence *named = tree_influence_list_add(&job->named);
        if (!named) return no_memory(err);
        *named = (struct tree_influence){in->field, job_key(job, in->value),
                                         pow(leaf->p, in->ratio)};
    }
    return STATUS_OK;
}

static enum status plant(struct job *job, const struct job_leaf *leaf, struct error *err) {
    const struct detector *d = &job->analysis->detectors[leaf->detector];
    enum status status = name_influences(job, leaf, err);
    if (status != STATUS_OK) return status;
    return tree_add(job->tree,
                    &(struct tree_leaf){
                        .detector = leaf->detector,
                        .partition = job_key(job, leaf->partition),
                        .person = job_key(job, d->over ? leaf->over : leaf->by),
                        .p = leaf->p,
                        .influences = job->named.at,
                        .influence_count = job->named.count,
                        .unlearned = job->items.at[leaf->worst].unlearned,
                    },
                    err);
}

enum status job_raise(struct job *job, struct error *err) {
    job->leaves.count = job->influences.count = 0;
    tree_clear(job->tree);
    enum status status = order_items(job, err);
    for (size_t first = 0; first < job->order.count && status == STATUS_OK;) {
        size_t end = first + 1;
        while (end < job->order.count &&
               same_leaf(job, job->order.at[first], job->order.at[end]))
            end++;
        status = add_leaf(job, first, end - first, err);
        if (status == STATUS_OK)
            status = plant(job, &job->leaves.at[job->leaves.count - 1], err);
        first = end;
    }
    if (status == STATUS_OK) status = job_see(job, err);
    if (status == STATUS_OK)
        status = tree_close(job->tree, job->interim, job->options.record_limit, err);
    return status;
}
