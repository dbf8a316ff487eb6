/* job/blame.c - how much of an anomaly each influencer value explains.
 * Asked is how probable the value would be without (or with nothing but) the rows of one
 * influencer value: chapter 10 of elastic-model. */
#include "job/close.h"
#include "model/chance.h"

#include <math.h>

#define NAMED 0.4   // a smaller share of the anomaly is not worth a name
#define HINTED 0.2  // a smaller share of one item cannot make a name with those of others

/* One influencer value under consideration, for one item. */
struct suspect {
    uint32_t field, value;
    double amount;  // of its rows: the item's statistic, and what it leaves
    double count, mean, m2;
    double influence;
};

LIST(suspect_list, struct suspect)

/* The item that is explained. */
struct question {
    const struct job *job;
    const struct job_item *item;
    const struct feature *feature;
    const struct series *series;
    const struct tally *tally;
    double ln_p;  // of the observed tail
};

static double ln_tail(const struct question *q, double value, double scale) {
    return series_ln_tail(q->series, q->item->time_s, value - q->feature->offset, scale,
                          q->item->verdict.tail);
}

// The observed value: of an interim bucket what it will be when complete.
static double observed(const struct question *q) {
    return q->item->verdict.value + q->feature->offset;
}

// --- what is left without a suspect ---------------------------------------------------------

static double rest_of_mean(const struct question *q, const struct suspect *s) {
    double n = q->item->count, rest = n - s->count;
    return rest > 0 ? (n * q->item->value[0] - s->count * s->amount) / rest : NAN;
}

static double rest_of_variance(const struct question *q, const struct suspect *s) {
    double n = q->tally->count, rest = n - s->count;
    if (rest <= 0) return NAN;
    double mean = (n * q->tally->mean - s->count * s->mean) / rest;
    double apart = mean - s->mean;
    double m2 = q->tally->m2 - s->m2 - apart * apart * s->count * rest / n;
    return fmax(m2, 0) / rest;
}

static double clamp_share(double share) {
    return isnan(share) ? 1 : share < 0 ? 0 : share > 1 ? 1 : share;
}

static double without(const struct question *q, double rest, double count) {
    if (isnan(rest)) return 1;  // nothing is left: it was all its doing
    double scale = q->item->count_scale;
    if (count > 0 && q->item->count > count) scale *= q->item->count / (q->item->count - count);
    return clamp_share(1 - ln_tail(q, rest, scale) / q->ln_p);
}

static double influence_of(const struct question *q, const struct suspect *s) {
    switch (q->feature->influence) {
    case INFLUENCE_NONE:
        return 0;
    case INFLUENCE_INDICATOR:
        return 1;
    case INFLUENCE_COMPLEMENT:
        return without(q, observed(q) - s->amount, 0);
    case INFLUENCE_COMPLEMENT_MEAN:
        return without(q, rest_of_mean(q, s), s->count);
    case INFLUENCE_COMPLEMENT_VARIANCE:
        return without(q, rest_of_variance(q, s), s->count);
    case INFLUENCE_INTERSECTION:
        return clamp_share(ln_tail(q, s->amount, q->item->count_scale) / q->ln_p);
    }
    return 0;
}

// --- the suspects of one item ---------------------------------------------------------------

static enum status no_memory(struct error *err) {
    return fail(err, STATUS_NO_MEMORY, "no memory for influences");
}

static enum status gather_suspects(const struct question *q, struct suspect_list *list,
                                   struct error *err) {
    list->count = 0;
    uint32_t at = q->tally ? q->tally->slices : TALLY_NONE;
    while (at != TALLY_NONE) {
        const struct gather_slice *slice = gather_slice(q->job->bucket, q->item->detector, at);
        double value[FEATURE_VALUES] = {0};
        bool valued =
            gather_value(q->job->bucket, q->item->detector, q->feature, &slice->tally, value);
        at = slice->next;
        if (!valued) continue;
        struct suspect *s = suspect_list_add(list);
        if (!s) return no_memory(err);
        *s = (struct suspect){.field = slice->influencer,
                              .value = slice->value,
                              .amount = value[0],
                              .count = slice->tally.count,
                              .mean = slice->tally.mean,
                              .m2 = slice->tally.m2};
    }
    return STATUS_OK;
}

// Most suspicious first within a field: the largest above what is usual, the smallest below.
static int by_amount_down(const void *a, const void *b) {
    const struct suspect *x = a, *y = b;
    if (x->field != y->field) return x->field < y->field ? -1 : 1;
    if (x->amount != y->amount) return x->amount > y->amount ? -1 : 1;
    return x->value < y->value ? -1 : x->value > y->value;
}

static int by_amount_up(const void *a, const void *b) {
    const struct suspect *x = a, *y = b;
    if (x->field != y->field) return x->field < y->field ? -1 : 1;
    if (x->amount != y->amount) return x->amount < y->amount ? -1 : 1;
    return x->value < y->value ? -1 : x->value > y->value;
}

// The suspects of one field, sorted: once one falls below the cut-off the rest get half of it.
static void judge_field(const struct question *q, struct suspect *list, size_t count) {
    double cut_off = 0.5 / fmax(-q->ln_p, 1);
    if (count == 1 || q->ln_p >= 0) {
        for (size_t i = 0; i < count; i++)
            list[i].influence = 1;
        return;
    }
    size_t i = 0;
    for (; i < count; i++) {
        list[i].influence = influence_of(q, &list[i]);
        if (list[i].influence < cut_off) break;
    }
    for (size_t j = i + 1; j < count; j++)
        list[j].influence = 0.5 * list[i].influence;
}

static void judge_suspects(const struct question *q, struct suspect_list *list) {
    if (list->count == 0) return;
    bool below = q->item->verdict.tail == TAIL_BELOW;
    qsort(list->at, list->count, sizeof *list->at, below ? by_amount_up : by_amount_down);
    for (size_t first = 0; first < list->count;) {
        size_t end = first + 1;
        while (end < list->count && list->at[end].field == list->at[first].field)
            end++;
        judge_field(q, list->at + first, end - first);
        first = end;
    }
}

// --- from the items of a leaf to its influences ---------------------------------------------

/* An influencer value's share in a leaf, over its items. */
struct share {
    uint32_t field, value;
    struct chance_joint joint;
    double smallest;  // of p ^ influence
    size_t items;
};

LIST(share_list, struct share)

static struct share *find_share(struct share_list *list, uint32_t field, uint32_t value) {
    for (size_t i = 0; i < list->count; i++)
        if (list->at[i].field == field && list->at[i].value == value) return &list->at[i];
    struct share *added = share_list_add(list);
    if (added) *added = (struct share){.field = field, .value = value, .smallest = 1};
    return added;
}

static enum status add_share(struct share_list *list, uint32_t field, uint32_t value, double p,
                             double influence, struct error *err) {
    struct share *share = find_share(list, field, value);
    if (!share) return no_memory(err);
    double own = pow(p, influence);
    chance_joint_add(&share->joint, own, 1);
    if (own < share->smallest) share->smallest = own;
    share->items++;
    return STATUS_OK;
}

// The item's own partition, by and over values, where their fields are influencers.
static enum status add_own_fields(const struct question *q, struct share_list *shares,
                                  struct error *err) {
    const struct analysis *a = q->job->analysis;
    const struct detector *d = &a->detectors[q->item->detector];
    const struct gather_cell *cell =
        gather_cell(q->job->gather, q->item->detector, q->item->cell);
    const char *fields[] = {d->partition, d->by, d->over};
    const uint32_t values[] = {cell->partition, cell->by, cell->over};
    for (uint32_t i = 0; i < a->influencer_count; i++)
        for (size_t j = 0; j < 3; j++) {
            if (!fields[j] || strcmp(fields[j], a->influencers[i]) != 0) continue;
            enum status status = add_share(shares, i, values[j], q->item->p, 1, err);
            if (status != STATUS_OK) return status;
        }
    return STATUS_OK;
}

static enum status add_item(const struct question *q, struct suspect_list *suspects,
                            struct share_list *shares, struct error *err) {
    enum status status = add_own_fields(q, shares, err);
    if (status == STATUS_OK) status = gather_suspects(q, suspects, err);
    if (status != STATUS_OK) return status;
    judge_suspects(q, suspects);
    for (size_t i = 0; i < suspects->count && status == STATUS_OK; i++) {
        const struct suspect *s = &suspects->at[i];
        if (s->influence >= HINTED)
            status = add_share(shares, s->field, s->value, q->item->p, s->influence, err);
    }
    return status;
}

static int by_ratio(const void *a, const void *b) {
    const struct job_influence *x = a, *y = b;
    if (x->field != y->field) return x->field < y->field ? -1 : 1;
    if (x->ratio != y->ratio) return x->ratio > y->ratio ? -1 : 1;
    return x->value < y->value ? -1 : x->value > y->value;
}

static enum status keep_shares(struct job *job, struct job_leaf *leaf,
                               const struct share_list *shares, struct error *err) {
    leaf->first_influence = job->influences.count;
    for (size_t i = 0; i < shares->count; i++) {
        const struct share *s = &shares->at[i];
        double ln_p =
            fmin(chance_joint_ln(&s->joint), chance_extreme_ln(s->smallest, s->items));
        double ratio = clamp_share(ln_p / log(leaf->p));
        if (ratio < NAMED) continue;
        struct job_influence *added = influence_list_add(&job->influences);
        if (!added) return no_memory(err);
        *added = (struct job_influence){s->field, s->value, ratio};
        leaf->influences++;
    }
    if (leaf->influences > 1)
        qsort(job->influences.at + leaf->first_influence, leaf->influences,
              sizeof(struct job_influence), by_ratio);
    return STATUS_OK;
}

static struct question ask(const struct job *job, const struct job_item *item) {
    struct question q = {
        .job = job,
        .item = item,
        .feature = job_feature(job, item),
        .series = job_series(job, item),
        .tally = gather_tally(job->bucket, item->detector, item->cell),
    };
    double v = observed(&q);
    q.ln_p = item->verdict.tail == TAIL_BOTH ? 0 : ln_tail(&q, v, item->count_scale);
    return q;
}

enum status job_blame(struct job *job, struct job_leaf *leaf, struct error *err) {
    struct suspect_list suspects = {0};
    struct share_list shares = {0};
    enum status status = STATUS_OK;
    for (size_t i = 0; i < leaf->items && status == STATUS_OK; i++) {
        const struct job_item *item = &job->items.at[job->order.at[leaf->first + i]];
        if (!item->valued || item->muted) continue;
        struct question q = ask(job, item);
        if (q.feature->influence == INFLUENCE_NONE) continue;
        status = add_item(&q, &suspects, &shares, err);
    }
    if (status == STATUS_OK) status = keep_shares(job, leaf, &shares, err);
    free(suspects.at);
    free(shares.at);
    return status;
}
