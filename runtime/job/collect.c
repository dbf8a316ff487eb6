/* job/collect.c - from a bucket of the gather to items, in groups that share a model. */
#include "job/close.h"
#include "model/population.h"

#include <math.h>

static enum status no_memory(struct error *err) {
    return fail(err, STATUS_NO_MEMORY, "no memory to close a bucket");
}

// Counts and sums stand for the whole bucket, other statistics for when they were measured.
static double value_time(const struct job *job, const struct feature *f,
                         const struct tally *tally) {
    double middle = (double)job->bucket_s + 0.5 * (double)job->analysis->bucket_span_s;
    bool whole = !f->sampled || !tally || f->statistic == STATISTIC_COUNT ||
                 f->statistic == STATISTIC_SUM;
    return whole ? middle : tally->time_s;
}

// n*/n where the variance of a statistic depends on the number of measurements; a population
// learns whole buckets, whatever their number.
static double count_scale(const struct job *job, const struct job_item *item, uint32_t model) {
    const struct feature *f = job_feature(job, item);
    bool scaled = f->statistic == STATISTIC_MEAN || f->statistic == STATISTIC_MEDIAN ||
                  f->statistic == STATISTIC_VARIANCE;
    bool population = job->analysis->detectors[item->detector].over;
    if (!scaled || population || item->count <= 0) return 1;
    double n = gather_sample_count(job->gather, item->detector, model);
    return n > 0 ? n / item->count : 1;
}

static void fill_value(struct job *job, struct job_item *item, uint32_t model) {
    const struct feature *f = job_feature(job, item);
    const struct tally *tally = gather_tally(job->bucket, item->detector, item->cell);
    item->valued = tally && gather_value(job->bucket, item->detector, f, tally, item->value);
    if (!item->valued && f->zero_when_empty) {
        item->value[0] = 0;
        item->valued = true;
    }
    item->count = tally ? tally->count : 0;
    item->time_s = value_time(job, f, tally);
    item->count_scale = count_scale(job, item, model);
}

static bool add_sample(struct job *job, double time_s, double value, double weight) {
    struct series_sample *sample = sample_list_add(&job->samples);
    if (sample) *sample = (struct series_sample){time_s, value, weight};
    return sample != NULL;
}

// What the model learns of an item: its samples of n* measurements, or its value.
static enum status add_samples(struct job *job, const struct job_item *item, double weight,
                               struct error *err) {
    const struct feature *f = job_feature(job, item);
    if (!f->sampled) {
        if (!item->valued || add_sample(job, item->time_s, item->value[0] - f->offset, weight))
            return STATUS_OK;
        return no_memory(err);
    }
    const struct sample *samples;
    size_t count;
    enum status status =
        gather_samples(job->bucket, item->detector, item->cell, f, &samples, &count, err);
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        if (!add_sample(job, samples[i].time_s, samples[i].value[0] - f->offset,
                        weight / (double)count))
            status = no_memory(err);
    return status;
}

// The points that a model of places learns.
static enum status add_points(struct job *job, const struct job_item *item, struct error *err) {
    const struct sample *samples;
    size_t count;
    enum status status = gather_samples(job->bucket, item->detector, item->cell,
                                        job_feature(job, item), &samples, &count, err);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        struct place_point *point = point_list_add(&job->points);
        if (!point) return no_memory(err);
        *point = (struct place_point){samples[i].value[0], samples[i].value[1]};
    }
    return status;
}

static int by_time(const void *a, const void *b) {
    double x = ((const struct time_of_event *)a)->at_s;
    double y = ((const struct time_of_event *)b)->at_s;
    return (x > y) - (x < y);
}

// At which times of day or week an item had its events; sorted, so that the order of rows
// within a bucket changes nothing.
static enum status add_events(struct job *job, struct job_item *item, struct error *err) {
    const struct tally *tally = gather_tally(job->bucket, item->detector, item->cell);
    size_t count = 0;
    const struct sample *times = tally ? gather_times(job->bucket, tally, &count) : NULL;
    item->first_event = job->events_at.count;
    for (size_t i = 0; i < count; i++) {
        struct time_of_event *event = event_list_add(&job->events_at);
        if (!event) return no_memory(err);
        *event = (struct time_of_event){times[i].value[0], times[i].count};
    }
    item->events = count;
    if (count)
        qsort(&job->events_at.at[item->first_event], count, sizeof *job->events_at.at, by_time);
    return STATUS_OK;
}

// What the model of an item learns and is asked.
static enum status add_evidence(struct job *job, struct job_item *item, double weight,
                                struct error *err) {
    switch (job_feature(job, item)->statistic) {
    case STATISTIC_INDICATOR:
        return STATUS_OK;
    case STATISTIC_TIME:
        return add_events(job, item, err);
    case STATISTIC_LOCATION:
        return job->interim ? STATUS_OK : add_points(job, item, err);
    default:
        return job->interim ? STATUS_OK : add_samples(job, item, weight, err);
    }
}

// How much of what its model learns a group has, and where that begins.
static size_t evidence(const struct job *job, const struct job_group *g) {
    const struct feature *f = &job->watches[g->detector].features[g->feature];
    return f->statistic == STATISTIC_LOCATION ? job->points.count : job->samples.count;
}

// Starts a group at the end of the lists.
static struct job_group *add_group(struct job *job, uint32_t detector, uint32_t feature,
                                   uint32_t model) {
    struct job_group *g = group_list_add(&job->groups);
    if (!g) return NULL;
    g->detector = detector;
    g->feature = feature;
    g->model = model;
    g->first_item = job->items.count;
    g->first_sample = evidence(job, g);
    return g;
}

// Adds an item to the group at the end.
static enum status add_item(struct job *job, uint32_t cell, double weight, struct error *err) {
    struct job_group *g = &job->groups.at[job->groups.count - 1];
    struct job_item *item = item_list_add(&job->items);
    if (!item) return no_memory(err);
    item->detector = g->detector;
    item->feature = g->feature;
    item->cell = cell;
    item->group = (uint32_t)(job->groups.count - 1);
    item->p = 1;
    fill_value(job, item, g->model);
    enum status status = add_evidence(job, item, weight, err);
    g->items++;
    g->samples = evidence(job, g) - g->first_sample;
    return status;
}

// --- detectors without an over field: a group per cell and feature --------------------------

static enum status collect_cell(struct job *job, uint32_t detector, uint32_t cell,
                                struct error *err) {
    const struct watch *w = &job->watches[detector];
    enum status status = STATUS_OK;
    for (uint32_t f = 0; f < w->feature_count && status == STATUS_OK; f++) {
        if (!add_group(job, detector, f, cell)) return no_memory(err);
        status = add_item(job, cell, 1, err);
    }
    return status;
}

// Every live cell where an empty bucket means something, else those that got rows.
static enum status collect_cells(struct job *job, uint32_t detector, struct error *err) {
    enum status status = STATUS_OK;
    if (job->watches[detector].features[0].zero_when_empty) {
        uint32_t cells = (uint32_t)gather_cells(job->gather, detector);
        for (uint32_t i = 0; i < cells && status == STATUS_OK; i++)
            if (gather_cell(job->gather, detector, i)->live)
                status = collect_cell(job, detector, i, err);
        return status;
    }
    size_t count;
    const uint32_t *cells = gather_touched(job->bucket, detector, &count);
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = collect_cell(job, detector, cells[i], err);
    return status;
}

// --- populations: a group per model and feature ---------------------------------------------

struct member {
    uint32_t model, cell;
    uint64_t person;  // key of its over value
};

static int by_model(const void *a, const void *b) {
    const struct member *x = a, *y = b;
    if (x->model != y->model) return x->model < y->model ? -1 : 1;
    if (x->person != y->person) return x->person < y->person ? -1 : 1;
    return x->cell < y->cell ? -1 : x->cell > y->cell;
}

static double member_count(const struct job *job, uint32_t detector, const struct member *m) {
    const struct tally *t = gather_tally(job->bucket, detector, m->cell);
    return t ? t->count : 0;
}

// Whether persons are weighed: where numeric series learn.
static bool weighs_persons(const struct job *job, uint32_t detector) {
    const struct feature *f = &job->watches[detector].features[0];
    return !job->interim && f->statistic != STATISTIC_INDICATOR && !kind_has(f);
}

// Who of the members of a model is how busy, this bucket included.
static enum status see_persons(struct job *job, uint32_t detector, const struct member *members,
                               size_t count, const struct population **out, struct error *err) {
    *out = NULL;
    if (!weighs_persons(job, detector)) return STATUS_OK;
    struct watch *w = &job->watches[detector];
    enum status status = watch_reserve(w, gather_models(job->gather, detector), err);
    if (status != STATUS_OK) return status;
    struct population *p = watch_population(w, members[0].model);
    if (!p) return no_memory(err);
    for (size_t i = 0; i < count; i++)
        population_see(p, members[i].person, member_count(job, detector, &members[i]));
    *out = p;
    return STATUS_OK;
}

// Members of one model, [first, first + count), for every feature of the detector.
static enum status collect_model(struct job *job, uint32_t detector,
                                 const struct member *members, size_t count,
                                 struct error *err) {
    const struct watch *w = &job->watches[detector];
    const struct population *p;
    enum status status = see_persons(job, detector, members, count, &p, err);
    double mean = p ? population_mean(p) : 0;
    for (uint32_t f = 0; f < w->feature_count && status == STATUS_OK; f++) {
        if (!add_group(job, detector, f, members[0].model)) return no_memory(err);
        for (size_t i = 0; i < count && status == STATUS_OK; i++)
            status = add_item(job, members[i].cell,
                              p ? population_weight(p, members[i].person, mean) : 1, err);
    }
    return status;
}

static enum status collect_members(struct job *job, uint32_t detector, struct member *members,
                                   size_t count, struct error *err) {
    enum status status = STATUS_OK;
    for (size_t first = 0; first < count && status == STATUS_OK;) {
        size_t end = first + 1;
        while (end < count && members[end].model == members[first].model)
            end++;
        status = collect_model(job, detector, members + first, end - first, err);
        first = end;
    }
    return status;
}

static enum status collect_population(struct job *job, uint32_t detector, struct error *err) {
    size_t count;
    const uint32_t *cells = gather_touched(job->bucket, detector, &count);
    if (count == 0) return STATUS_OK;
    struct member *members = malloc(count * sizeof *members);
    if (!members) return no_memory(err);
    for (size_t i = 0; i < count; i++) {
        const struct gather_cell *cell = gather_cell(job->gather, detector, cells[i]);
        members[i] = (struct member){cell->model, cells[i], job_key(job, cell->over)};
    }
    // Sorted by key, so that the order of rows changes nothing.
    qsort(members, count, sizeof *members, by_model);
    enum status status = collect_members(job, detector, members, count, err);
    free(members);
    return status;
}

enum status job_collect(struct job *job, struct error *err) {
    job->items.count = job->groups.count = job->samples.count = 0;
    job->points.count = job->events_at.count = 0;
    enum status status = STATUS_OK;
    for (uint32_t d = 0; d < job->analysis->detector_count && status == STATUS_OK; d++)
        status = job->analysis->detectors[d].over ? collect_population(job, d, err)
                                                  : collect_cells(job, d, err);
    return status;
}
