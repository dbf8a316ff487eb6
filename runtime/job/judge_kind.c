/* job/judge_kind.c - what is no numeric series learns a bucket and gives its probabilities:
 * times, places and rare values. */
#include "job/close.h"
#include "model/chance.h"

#include <math.h>

#define UNLEARNED_WEIGHT 0.005  // what skip_model_update leaves
#define DECAY 0.0005            // of rare values, per half hour and per bucket that is longer
#define HALF_HOUR_S 1800.0

// --- times and places ------------------------------------------------------------------------

static double weight_of(const struct job_item *item) {
    return item->unlearned ? UNLEARNED_WEIGHT : 1;
}

static const struct time_of_event *events_of(const struct job *job, const struct job_item *i) {
    return job->events_at.at + i->first_event;
}

static void look(const struct kind *kind, struct modes_fit *usual) {
    if (kind->statistic == STATISTIC_TIME)
        time_of_look(&kind->time_of, usual);
    else
        place_look(&kind->place, usual);
}

static void learn_kind(struct job *job, const struct job_group *g, struct kind *kind) {
    const struct job_item *items = job->items.at + g->first_item;
    struct modes_fit usual;
    if (job->ageless)
        kind->last_s = job->bucket_s;
    else
        kind_begin(kind, job->bucket_s, job->analysis->bucket_span_s);
    look(kind, &usual);
    for (size_t i = 0; kind->statistic == STATISTIC_TIME && i < g->items; i++)
        time_of_learn(&kind->time_of, &usual, job->bucket_s, events_of(job, &items[i]),
                      items[i].events, weight_of(&items[i]));
    double weight = g->items == 1 ? weight_of(items) : 1;
    for (size_t i = 0; kind->statistic == STATISTIC_LOCATION && i < g->samples; i++)
        place_learn(&kind->place, &usual, job->points.at[g->first_sample + i], weight);
}

static double probability(const struct job *job, const struct job_item *item,
                          const struct kind *kind, const struct modes_fit *usual) {
    if (kind->statistic == STATISTIC_TIME)
        return time_of_probability(&kind->time_of, usual, job->bucket_s, events_of(job, item),
                                   item->events);
    return place_probability(&kind->place, usual,
                             (struct place_point){item->value[0], item->value[1]});
}

void job_judge_kind(struct job *job, struct job_group *g, struct kind *kind) {
    struct job_item *items = job->items.at + g->first_item;
    for (size_t i = 0; i < g->items; i++)
        job_apply_rules(job, &items[i]);
    if (!job->interim) learn_kind(job, g, kind);
    struct modes_fit usual;
    look(kind, &usual);
    for (size_t i = 0; i < g->items; i++) {
        if (!items[i].valued) continue;
        items[i].p = probability(job, &items[i], kind, &usual);
        job_mute(job, &items[i]);
    }
}

// --- rare values -----------------------------------------------------------------------------

static const struct gather_cell *cell_of(const struct job *job, const struct job_item *item) {
    return gather_cell(job->gather, item->detector, item->cell);
}

/* Adds what an item says about its by value: one more bucket, or one more person. */
static enum status learn_rare(struct job *job, const struct job_item *item, struct error *err) {
    const struct gather_cell *cell = cell_of(job, item);
    bool population = job->analysis->detectors[item->detector].over != NULL;
    if (item->unlearned) return STATUS_OK;
    struct rarity *rarity = &job->watches[item->detector].rarity;
    struct category *categories;
    enum status status = rarity_get(rarity, job_key(job, cell->partition), &categories, err);
    bool fresh = true;
    if (status == STATUS_OK && population)
        status = rarity_count(rarity, item->cell, &fresh, err);
    if (status != STATUS_OK || !fresh) return status;
    return category_learn(categories, job_key(job, cell->by), 1, err);
}

static struct category *categories_of(const struct job *job, const struct job_item *item) {
    uint64_t partition = job_key(job, cell_of(job, item)->partition);
    return rarity_find(&job->watches[item->detector].rarity, partition);
}

// Without an over field the indicator itself, which is certain, has its part in the joint.
static double rare_probability(const struct job *job, const struct job_item *item) {
    const struct gather_cell *cell = cell_of(job, item);
    struct category *categories = categories_of(job, item);
    if (!categories) return 1;
    double p = category_probability(categories, job_key(job, cell->by));
    if (job->analysis->detectors[item->detector].over) return p;
    struct chance_joint joint = {0};
    chance_joint_add(&joint, 1, 1);
    chance_joint_add(&joint, p, 1);
    return fmax(exp(chance_joint_ln(&joint)), CHANCE_SMALLEST);
}

static void age_rarities(struct job *job) {
    double span = fmin((double)job->analysis->bucket_span_s / HALF_HOUR_S, 1);
    for (size_t d = 0; d < job->analysis->detector_count; d++) {
        bool fades = !job->analysis->detectors[d].over && !job->ageless;
        rarity_age(&job->watches[d].rarity, fades ? exp(-DECAY * span) : 1);
    }
}

static bool is_rare(const struct job *job, const struct job_item *item) {
    return job_feature(job, item)->statistic == STATISTIC_INDICATOR;
}

enum status job_judge_rarity(struct job *job, struct error *err) {
    if (!job->interim) age_rarities(job);
    for (size_t i = 0; i < job->items.count; i++) {
        struct job_item *item = &job->items.at[i];
        if (!is_rare(job, item)) continue;
        job_apply_rules(job, item);
        enum status status = job->interim ? STATUS_OK : learn_rare(job, item, err);
        if (status != STATUS_OK) return status;
    }
    for (size_t i = 0; i < job->items.count; i++) {
        struct job_item *item = &job->items.at[i];
        if (!is_rare(job, item) || !item->valued) continue;
        item->p = rare_probability(job, item);
        job_mute(job, item);
    }
    return STATUS_OK;
}

// --- what is usual ---------------------------------------------------------------------------

static double usual_share(const struct job *job, const struct job_item *item) {
    struct category *categories = categories_of(job, item);
    return categories ? category_share(categories, job_key(job, cell_of(job, item)->by)) : 0;
}

double job_rarity(const struct job *job, const struct job_item *item) {
    struct category *categories = is_rare(job, item) ? categories_of(job, item) : NULL;
    return categories ? category_rarity(categories, job_key(job, cell_of(job, item)->by)) : 0;
}

struct job_values job_usual(const struct job *job, const struct job_item *item) {
    const struct job_group *g = &job->groups.at[item->group];
    const struct kind *kind = watch_kind(&job->watches[g->detector], g->feature, g->model);
    if (is_rare(job, item)) return (struct job_values){{usual_share(job, item), 0}};
    if (!kind) return (struct job_values){{item->value[0], item->value[1]}};
    if (kind->statistic == STATISTIC_TIME)
        return (struct job_values){{time_of_typical(&kind->time_of, item->value[0]), 0}};
    struct place_point usual =
        place_typical(&kind->place, (struct place_point){item->value[0], item->value[1]});
    return (struct job_values){{usual.lat, usual.lon}};
}
