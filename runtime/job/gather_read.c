/* job/gather_read.c - what a bucket is asked when it closes: values, times, samples. */
#include "job/gather_internal.h"
#include "job/information.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FREQUENT_SHARE 0.1  // of the buckets; see exclude_frequent

// --- places ----------------------------------------------------------------------------------

int64_t gather_bucket_start_s(const struct gather_bucket *b) { return b->start_s; }
double gather_bucket_events(const struct gather_bucket *b) { return b->events; }
uint64_t gather_bucket_refused(const struct gather_bucket *b) { return b->refused; }
bool gather_bucket_partial(const struct gather_bucket *b) { return b->partial; }

struct gather_bucket *gather_open(struct gather *g, size_t at) {
    return at < g->open_count ? g->open[at] : NULL;
}

struct gather_bucket *gather_current(struct gather *g) {
    return g->started ? gather_bucket_at(g, g->position_s) : NULL;
}

size_t gather_cells(const struct gather *g, size_t detector) {
    return g->detectors[detector].cells.count;
}

const struct gather_cell *gather_cell(const struct gather *g, size_t detector, uint32_t cell) {
    assert(cell < g->detectors[detector].cells.count);
    return &g->detectors[detector].cells.list[cell];
}

size_t gather_models(const struct gather *g, size_t detector) {
    return cells_models(&g->detectors[detector].cells);
}

const char *gather_text(const struct gather *g, uint32_t id, size_t *size) {
    return dictionary_text(g->texts, id, size);
}

uint32_t gather_find_text(const struct gather *g, const char *text, size_t size) {
    return dictionary_find(g->texts, dictionary_hash(text, size), text, size);
}

const uint32_t *gather_touched(const struct gather_bucket *b, size_t detector, size_t *count) {
    *count = b->detectors[detector].touched_count;
    return b->detectors[detector].touched;
}

const struct tally *gather_tally(const struct gather_bucket *b, size_t detector,
                                 uint32_t cell) {
    const struct bucket_detector *d = &b->detectors[detector];
    if (cell >= d->tally_capacity || d->tallies[cell].count < 0) return NULL;
    return &d->tallies[cell];
}

const struct gather_slice *gather_slice(const struct gather_bucket *b, size_t detector,
                                        uint32_t slice) {
    assert(slice < b->detectors[detector].slice_count);
    return &b->detectors[detector].slices[slice];
}

bool gather_frequent(const struct gather *g, size_t detector, uint32_t number) {
    const struct gather_detector *d = &g->detectors[detector];
    const struct gather_cell *cell = &d->cells.list[number];
    double limit = FREQUENT_SHARE * (double)g->buckets;
    return (d->config->exclude_frequent & EXCLUDE_FREQUENT_BY &&
            frequency_buckets(&d->by_buckets, cell->partition, cell->by) > limit) ||
           (d->config->exclude_frequent & EXCLUDE_FREQUENT_OVER &&
            frequency_buckets(&d->over_buckets, cell->partition, cell->over) > limit);
}

// --- values ----------------------------------------------------------------------------------

static bool room_for_parts(struct gather *g, size_t count) {
    if (count <= g->part_capacity) return true;
    struct part *grown = realloc(g->parts, count * sizeof *grown);
    if (!grown) return false;
    g->parts = grown;
    g->part_capacity = count;
    return true;
}

static bool room_for_samples(struct gather *g, size_t count) {
    if (count <= g->sample_capacity) return true;
    struct sample *grown = realloc(g->samples, count * sizeof *grown);
    if (!grown) return false;
    g->samples = grown;
    g->sample_capacity = count;
    return true;
}

static double median(const struct gather_bucket *b, const struct tally *t) {
    const struct bucket_list *list = bucket_list(b, t);
    if (!list || !room_for_parts(b->gather, list->count)) return NAN;
    memcpy(b->gather->parts, list->parts, list->count * sizeof *list->parts);
    return parts_median(b->gather->parts, list->count);
}

static double information(const struct gather_bucket *b, const struct tally *t) {
    const struct bucket_list *set = bucket_list(b, t);
    return set ? information_of(b->gather->texts, set->slots, set->capacity) : NAN;
}

static double mean_time(const struct gather_bucket *b, const struct tally *t) {
    const struct bucket_list *list = bucket_list(b, t);
    double sum = 0, count = 0;
    for (uint32_t i = 0; list && i < list->count; i++) {
        sum += list->parts[i].value[0] * list->parts[i].count;
        count += list->parts[i].count;
    }
    return count > 0 ? sum / count : NAN;
}

static double statistic(const struct gather_bucket *b, const struct feature *feature,
                        const struct tally *t) {
    const struct bucket_list *set;
    switch (feature->statistic) {
    case STATISTIC_COUNT:
        return t->count;
    case STATISTIC_DISTINCT:
        set = bucket_list(b, t);
        return set ? set->count : 0;
    case STATISTIC_INFO:
        return information(b, t);
    case STATISTIC_INDICATOR:
        return t->count > 0 ? 1 : NAN;
    case STATISTIC_TIME:
        return mean_time(b, t);
    case STATISTIC_MEDIAN:
        return median(b, t);
    case STATISTIC_MIN:
        return t->min;
    case STATISTIC_MAX:
        return t->max;
    case STATISTIC_SUM:
        return t->sum;
    case STATISTIC_VARIANCE:
        return t->m2 / t->count;
    default:
        return t->mean;
    }
}

bool gather_value(const struct gather_bucket *b, size_t detector, const struct feature *feature,
                  const struct tally *tally, double value[FEATURE_VALUES]) {
    (void)detector;
    value[1] = feature->statistic == STATISTIC_LOCATION ? tally->sum : 0;
    value[0] = feature->zero_when_empty ? 0 : NAN;
    if (tally->count > 0) value[0] = statistic(b, feature, tally);
    return isfinite(value[0]) && isfinite(value[1]);
}

const struct sample *gather_times(const struct gather_bucket *b, const struct tally *tally,
                                  size_t *count) {
    const struct bucket_list *list = bucket_list(b, tally);
    *count = 0;
    if (!list || !room_for_samples(b->gather, list->count)) return NULL;
    for (uint32_t i = 0; i < list->count; i++) {
        const struct part *p = &list->parts[i];
        b->gather->samples[i] = (struct sample){p->time_s, p->count, {p->value[0], 0}};
    }
    *count = list->count;
    return b->gather->samples;
}

// --- samples ---------------------------------------------------------------------------------

double gather_sample_count(const struct gather *g, size_t detector, uint32_t model) {
    const struct cells *c = &g->detectors[detector].cells;
    if (!c->sampled) return 1;
    return model < c->sampler_capacity ? c->samplers[model].per_sample : 0;
}

// What was left over and what came, into g->parts; returns how many. False: no memory.
static bool collect(const struct gather_bucket *b, const struct sampler *s,
                    const struct tally *t, size_t *count) {
    struct gather *g = b->gather;
    const struct bucket_list *list = bucket_list(b, t);
    size_t came = list ? list->count : 0;
    *count = s->left + came;
    if (!room_for_parts(g, *count)) return false;
    if (s->left) memcpy(g->parts, s->parts, s->left * sizeof *g->parts);
    if (came) memcpy(g->parts + s->left, list->parts, came * sizeof *g->parts);
    return true;
}

// The bucket's value as the one sample.
static size_t whole_bucket(const struct gather_bucket *b, size_t detector,
                           const struct feature *feature, const struct tally *t) {
    struct sample *sample = b->gather->samples;
    double middle_s = (double)b->start_s + (double)b->gather->analysis->bucket_span_s / 2;
    sample->time_s = feature->sampled ? t->time_s : middle_s;
    sample->count = t->count;
    return gather_value(b, detector, feature, t, sample->value);
}

enum status gather_samples(struct gather_bucket *b, size_t detector, uint32_t cell,
                           const struct feature *feature, const struct sample **samples,
                           size_t *count, struct error *err) {
    struct gather *g = b->gather;
    const struct gather_detector *d = &g->detectors[detector];
    const struct tally *t = gather_tally(b, detector, cell);
    size_t parts = 1, used;
    *samples = g->samples;
    *count = 0;
    if (!t || t->count <= 0) return STATUS_OK;
    const struct sampler *s = d->cells.sampled ? &d->cells.samplers[cell] : NULL;
    if ((s && !collect(b, s, t, &parts)) || !room_for_samples(g, parts))
        return fail(err, STATUS_NO_MEMORY, "no memory for the samples of a series");
    *samples = g->samples;
    *count =
        s ? sampler_cut(s, feature, d->config->function, g->parts, parts, g->samples, &used)
          : whole_bucket(b, detector, feature, t);
    return STATUS_OK;
}

void gather_count_samples(struct gather_bucket *b) {
    for (size_t i = 0; i < b->detector_count; i++) {
        struct gather_detector *d = &b->gather->detectors[i];
        double least = d->config->function == FUNCTION_VARP ? 3 : 1;
        for (uint32_t j = 0; d->cells.sampled && j < b->detectors[i].touched_count; j++) {
            uint32_t cell = b->detectors[i].touched[j];
            const struct tally *t = &b->detectors[i].tallies[cell];
            if (t->count > 0) sampler_count(&d->cells.samplers[cell], t->count, least);
        }
    }
}

// Where the parts that are in no sample begin: the same cut as gather_samples() makes.
static enum status keep_rest(struct gather_bucket *b, struct gather_detector *d, uint32_t cell,
                             const struct tally *t, struct error *err) {
    struct gather *g = b->gather;
    struct sampler *s = &d->cells.samplers[cell];
    struct feature feature = {.statistic = STATISTIC_MEAN};
    size_t count = 0, used = 0;
    if (!collect(b, s, t, &count) || !room_for_samples(g, count))
        return fail(err, STATUS_NO_MEMORY, "no memory for the samples of a series");
    if (count == 0) return STATUS_OK;
    sampler_cut(s, &feature, d->config->function, g->parts, count, g->samples, &used);
    if (!sampler_keep(s, g->parts + used, count - used, d->config->function))
        return fail(err, STATUS_NO_MEMORY, "no memory for the samples of a series");
    return STATUS_OK;
}

enum status gather_keep_samples(struct gather_bucket *b, struct error *err) {
    enum status status = STATUS_OK;
    for (size_t i = 0; i < b->detector_count; i++) {
        struct gather_detector *d = &b->gather->detectors[i];
        for (uint32_t j = 0;
             d->cells.sampled && status == STATUS_OK && j < b->detectors[i].touched_count;
             j++) {
            uint32_t cell = b->detectors[i].touched[j];
            status = keep_rest(b, d, cell, &b->detectors[i].tallies[cell], err);
        }
    }
    return status;
}

// --- pruning ---------------------------------------------------------------------------------

void gather_prune(struct gather *g, size_t detector, int64_t before_s,
                  void (*freed)(void *context, uint32_t cell),
                  void (*gone)(void *context, uint32_t model), void *context) {
    struct gather_detector *d = &g->detectors[detector];
    int64_t closing_s = g->position_s - g->analysis->bucket_span_s;
    if (before_s > closing_s) before_s = closing_s;
    for (uint32_t i = 0; i < d->cells.count; i++) {
        if (!d->cells.list[i].live || d->cells.list[i].last_s >= before_s) continue;
        uint32_t model;
        cells_remove(&d->cells, g->texts, i, &model);
        if (freed) freed(context, i);
        if (gone && d->cells.shared && model != GATHER_NONE) gone(context, model);
    }
    frequency_prune(&d->by_buckets, before_s);
    frequency_prune(&d->over_buckets, before_s);
}
