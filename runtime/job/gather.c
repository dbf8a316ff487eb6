/* job/gather.c - see gather.h: uploads, the clock of a job, and the closing of buckets. */
#include "job/gather.h"

#include "job/gather_internal.h"
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// Empty buckets that a record may leave behind it; a longer gap is jumped over, as by
// gather_skip(): one wrong clock shall not write a million results.
#define GAP_MAX 1000000

// How much rarer than the average a bucket is that counts as sparse: ln average - ln count.
#define SPARSE_LOG 2

// --- making ----------------------------------------------------------------------------------

static enum gathering gathering_of(enum detector_function function) {
    switch (function) {
    case FUNCTION_COUNT:
    case FUNCTION_NON_ZERO_COUNT:
    case FUNCTION_RARE:
    case FUNCTION_FREQ_RARE:
        return GATHER_COUNT;
    case FUNCTION_SUM:
    case FUNCTION_NON_NULL_SUM:
        return GATHER_SUM;
    case FUNCTION_DISTINCT_COUNT:
        return GATHER_DISTINCT;
    case FUNCTION_INFO_CONTENT:
        return GATHER_TEXTS;
    case FUNCTION_TIME_OF_DAY:
    case FUNCTION_TIME_OF_WEEK:
        return GATHER_TIMES;
    case FUNCTION_LAT_LONG:
        return GATHER_LOCATION;
    default:
        return GATHER_METRIC;
    }
}

static bool make_detector(struct gather *g, size_t at) {
    const struct detector *config = &g->analysis->detectors[at];
    struct gather_detector *d = &g->detectors[at];
    struct feature features[FEATURES_MAX] = {0};
    detector_features(config, features);
    *d = (struct gather_detector){
        .config = config,
        .gathering = gathering_of(config->function),
        .period_s = features[0].period_s,
        .field = field_of(g->fields, config->field),
        .partition = field_of(g->fields, config->partition),
        .by = field_of(g->fields, config->by),
        .over = field_of(g->fields, config->over),
        .influencers = malloc((g->influencer_count + 1) * sizeof *d->influencers),
    };
    cells_init(&d->cells, config->over != NULL, features[0].sampled && !config->over);
    for (size_t i = 0; d->influencers && i < g->influencer_count; i++) {
        uint32_t field = field_of(g->fields, g->analysis->influencers[i]);
        bool own = field == d->partition || field == d->by || field == d->over;
        d->influencers[i] = own ? FIELD_NONE : field;
    }
    return d->influencers;
}

static bool make_parts(struct gather *g) {
    g->fields = fields_new(g->analysis);
    g->texts = dictionary_new();
    if (!g->fields || !g->texts) return false;
    g->reader = record_reader_new(g->fields);
    g->looked_up = calloc(g->fields->count, sizeof *g->looked_up);
    g->summary_count = field_of(g->fields, g->analysis->summary_count_field);
    bool made = g->reader && g->looked_up;
    for (size_t i = 0; i < g->detector_count; i++)
        made = make_detector(g, i) && made;
    return made;
}

static void clear_clock(struct gather *g) {
    g->started = false;
    g->position_s = g->latest_bucket_s = 0;
    g->partial_s = INT64_MIN;
    g->latest_ms = COUNT_NO_TIME;
    g->closed = g->closed_records = g->buckets = 0;
    data_counts_clear(&g->counts);
}

enum status gather_new(const struct analysis *analysis, struct gather **out,
                       struct error *err) {
    size_t detectors = analysis->detector_count;
    struct gather *g = calloc(1, sizeof *g + detectors * sizeof *g->detectors);
    if (!g) return fail(err, STATUS_NO_MEMORY, "no memory for a job");
    g->analysis = analysis;
    g->detector_count = detectors;
    g->influencer_count = analysis->influencer_count;
    clear_clock(g);
    enum status status = record_time_new(analysis->time_format, &g->time, err);
    if (status == STATUS_OK && !make_parts(g))
        status = fail(err, STATUS_NO_MEMORY, "no memory for a job");
    if (status != STATUS_OK) {
        gather_free(g);
        return status;
    }
    *out = g;
    return STATUS_OK;
}

static void clear_detector(struct gather_detector *d) {
    bool shared = d->cells.shared, sampled = d->cells.sampled;
    cells_free(&d->cells);
    cells_init(&d->cells, shared, sampled);
    frequency_free(&d->by_buckets);
    frequency_free(&d->over_buckets);
}

void gather_clear(struct gather *g) {
    for (size_t i = 0; i < g->detector_count; i++)
        clear_detector(&g->detectors[i]);
    for (size_t i = 0; i < g->open_count; i++)
        bucket_free(g->open[i]);
    g->open_count = 0;
    if (g->texts) dictionary_clear(g->texts);
    clear_clock(g);
}

void gather_free(struct gather *g) {
    if (!g) return;
    gather_clear(g);
    for (size_t i = 0; i < g->detector_count; i++)
        free(g->detectors[i].influencers);
    free(g->open);
    bucket_free(g->spare);
    record_reader_free(g->reader);
    record_time_free(g->time);
    dictionary_free(g->texts);
    free(g->looked_up);
    free(g->fields);
    free(g->samples);
    free(g->parts);
    free(g);
}

void gather_listen(struct gather *g, const struct gather_listener *listener) {
    g->listener = *listener;
}

// --- open buckets ----------------------------------------------------------------------------

// Where a bucket that starts at a time is among the open ones, or would be.
static size_t find_open(const struct gather *g, int64_t start_s) {
    size_t at = g->open_count;
    while (at > 0 && g->open[at - 1]->start_s >= start_s)
        at--;
    return at;
}

static bool room_for_bucket(struct gather *g) {
    if (g->open_count < g->open_capacity) return true;
    size_t capacity = g->open_capacity ? 2 * g->open_capacity : 4;
    struct gather_bucket **grown = realloc(g->open, capacity * sizeof *grown);
    if (!grown) return false;
    g->open = grown;
    g->open_capacity = capacity;
    return true;
}

// An empty bucket that is nobody's yet.
static struct gather_bucket *fresh_bucket(struct gather *g, int64_t start_s) {
    struct gather_bucket *b = g->spare;
    g->spare = NULL;
    if (!b && !(b = bucket_new(g->detector_count))) return NULL;
    b->gather = g;
    b->start_s = start_s;
    b->stamp = ++g->stamp;
    b->partial = start_s == g->partial_s;
    return b;
}

static void retire_bucket(struct gather *g, struct gather_bucket *b) {
    if (!g->spare) {
        bucket_clear(b);
        g->spare = b;
    } else {
        bucket_free(b);
    }
}

struct gather_bucket *gather_bucket_at(struct gather *g, int64_t start_s) {
    size_t at = find_open(g, start_s);
    if (at < g->open_count && g->open[at]->start_s == start_s) return g->open[at];
    if (!room_for_bucket(g)) return NULL;
    struct gather_bucket *b = fresh_bucket(g, start_s);
    if (!b) return NULL;
    memmove(&g->open[at + 1], &g->open[at], (g->open_count - at) * sizeof *g->open);
    g->open[at] = b;
    g->open_count++;
    return b;
}

// Takes the open bucket at the position out, or an empty one: no record reached it.
static struct gather_bucket *take_oldest(struct gather *g) {
    if (g->open_count == 0 || g->open[0]->start_s != g->position_s)
        return fresh_bucket(g, g->position_s);
    struct gather_bucket *b = g->open[0];
    g->open_count--;
    memmove(g->open, g->open + 1, g->open_count * sizeof *g->open);
    return b;
}

// The stamp from which on texts are in use.
static uint64_t oldest_stamp(const struct gather *g) {
    uint64_t oldest = g->stamp + 1;
    for (size_t i = 0; i < g->open_count; i++)
        if (g->open[i]->stamp < oldest) oldest = g->open[i]->stamp;
    return oldest;
}

// --- closing ---------------------------------------------------------------------------------

static void count_bucket(struct gather *g, const struct gather_bucket *b) {
    struct data_counts *c = g->upload ? g->upload : &g->counts;
    int64_t start_ms = b->start_s * 1000;
    c->bucket_count++;
    g->buckets++;
    if (b->records == 0) {
        c->empty_bucket_count++;
        c->latest_empty_bucket_ms = start_ms;
        return;
    }
    double average = g->closed ? (double)g->closed_records / (double)g->closed : 0;
    if (average > 0 && log(average) - log((double)b->records) > SPARSE_LOG) {
        c->sparse_bucket_count++;
        c->latest_sparse_bucket_ms = start_ms;
    }
    g->closed++;
    g->closed_records += b->records;
}

static enum status tell_closed(struct gather *g, struct gather_bucket *b, struct error *err) {
    if (!b->partial) gather_count_samples(b);
    enum status status =
        g->listener.close ? g->listener.close(g->listener.context, b, err) : STATUS_OK;
    if (status == STATUS_OK && !b->partial) status = gather_keep_samples(b, err);
    return status;
}

static enum status close_oldest(struct gather *g, struct error *err) {
    struct gather_bucket *b = take_oldest(g);
    if (!b) return fail(err, STATUS_NO_MEMORY, "no memory for a bucket");
    g->position_s += g->analysis->bucket_span_s;
    count_bucket(g, b);
    enum status status = tell_closed(g, b, err);
    retire_bucket(g, b);
    dictionary_sweep(g->texts, oldest_stamp(g));
    g->until_measured = 0;
    return status;
}

// Closes every bucket that ends at or before a time.
static enum status close_until(struct gather *g, int64_t end_s, struct error *err) {
    enum status status = STATUS_OK;
    while (status == STATUS_OK && g->position_s + g->analysis->bucket_span_s <= end_s)
        status = close_oldest(g, err);
    return status;
}

// Closes what is open and goes on at a bucket far ahead.
static enum status jump(struct gather *g, int64_t start_s, struct error *err) {
    enum status status = STATUS_OK;
    while (status == STATUS_OK && g->open_count > 0)
        status = close_oldest(g, err);
    if (status == STATUS_OK) g->position_s = start_s;
    return status;
}

static enum status close_due(struct gather *g, int64_t time_s, struct error *err) {
    int64_t span = g->analysis->bucket_span_s, due_s = time_s - g->analysis->latency_s;
    if (g->position_s + span > due_s) return STATUS_OK;
    if ((due_s - g->position_s) / span > GAP_MAX) return jump(g, gather_floor(g, due_s), err);
    return close_until(g, due_s, err);
}

// --- records ---------------------------------------------------------------------------------

static int64_t seconds(int64_t ms) { return ms / 1000 - (ms % 1000 < 0); }

static void start(struct gather *g, int64_t time_s) {
    g->started = true;
    g->position_s = gather_floor(g, time_s);
    if (g->position_s != time_s) g->partial_s = g->position_s;
}

static void count_missing(struct gather *g, const struct record *record) {
    struct data_counts *c = g->upload;
    c->input_field_count += record->seen > 0 ? record->seen - 1 : 0;
    for (size_t i = 1; i < g->fields->count; i++)
        c->missing_field_count += record->values[i].kind == RECORD_ABSENT;
}

// Counts a record of a known time; false when it comes too late to be taken.
static bool count_timed(struct gather *g, int64_t ms) {
    struct data_counts *c = g->upload;
    int64_t time_s = seconds(ms);
    if (g->latest_ms != COUNT_NO_TIME && time_s < g->latest_bucket_s - g->analysis->latency_s) {
        c->out_of_order_timestamp_count++;
        return false;
    }
    c->processed_record_count++;
    if (c->earliest_record_ms == COUNT_NO_TIME || ms < c->earliest_record_ms)
        c->earliest_record_ms = ms;
    if (c->latest_record_ms == COUNT_NO_TIME || ms > c->latest_record_ms)
        c->latest_record_ms = ms;
    if (g->latest_ms == COUNT_NO_TIME ||
        time_s >= g->latest_bucket_s + g->analysis->bucket_span_s)
        g->latest_bucket_s = gather_floor(g, time_s);
    if (g->latest_ms == COUNT_NO_TIME || ms > g->latest_ms) g->latest_ms = ms;
    return true;
}

enum status gather_take(struct gather *g, const struct record *record, bool timed, int64_t ms,
                        struct error *err) {
    count_missing(g, record);
    if (!timed) {
        g->upload->invalid_date_count++;
        return STATUS_OK;
    }
    if (!count_timed(g, ms)) return STATUS_OK;
    int64_t time_s = seconds(ms);
    if (!g->started) start(g, time_s);
    enum status status = close_due(g, time_s, err);
    if (status != STATUS_OK || time_s < g->position_s) return status;
    struct gather_bucket *b = gather_bucket_at(g, gather_floor(g, time_s));
    if (!b) return fail(err, STATUS_NO_MEMORY, "no memory for a bucket");
    g->row++;
    return gather_row(g, b, record, (double)ms / 1000, err);
}

static enum status take_record(void *context, const struct record *record, struct error *err) {
    struct gather *g = context;
    int64_t ms = 0;
    bool timed = record_time_read(g->time, &record->values[0], &ms);
    return gather_take(g, record, timed, ms, err);
}

void gather_begin(struct gather *g, struct data_counts *upload) {
    data_counts_clear(upload);
    g->upload = upload;
}

void gather_end(struct gather *g) {
    data_counts_finish(g->upload, g->fields->count - 1);
    data_counts_add(&g->counts, g->upload);
    g->upload = NULL;
}

enum status gather_post(struct gather *g, const char *body, size_t size,
                        struct data_counts *counts, struct error *err) {
    const struct analysis *a = g->analysis;
    gather_begin(g, counts);
    counts->input_bytes = size;
    enum status status = a->delimited
                             ? record_read_delimited(g->reader, body, size, a->delimiter,
                                                     a->quote, take_record, g, err)
                             : record_read_json(g->reader, body, size, take_record, g, err);
    gather_end(g);
    return status;
}

// --- commands --------------------------------------------------------------------------------

void gather_reset(struct gather *g, int64_t start_s, int64_t end_s) {
    for (size_t i = 0; i < g->open_count; i++) {
        struct gather_bucket *b = g->open[i];
        bool partial = b->partial;
        if (b->start_s >= end_s || b->start_s + g->analysis->bucket_span_s <= start_s) continue;
        bucket_clear(b);
        b->partial = partial;
    }
}

enum status gather_advance(struct gather *g, int64_t time_s, struct error *err) {
    if (!g->started) return STATUS_OK;
    int64_t end_s = gather_floor(g, time_s), span = g->analysis->bucket_span_s;
    if ((end_s - g->position_s) / span > GAP_MAX) return jump(g, end_s, err);
    return close_until(g, end_s, err);
}

void gather_skip(struct gather *g, int64_t time_s) {
    int64_t start_s = gather_floor(g, time_s + g->analysis->bucket_span_s - 1);
    if (g->started && start_s <= g->position_s) return;
    while (g->open_count > 0 && g->open[0]->start_s < start_s) {
        retire_bucket(g, g->open[0]);
        g->open_count--;
        memmove(g->open, g->open + 1, g->open_count * sizeof *g->open);
    }
    g->started = true;
    g->position_s = start_s;
    g->partial_s = INT64_MIN;
}

bool gather_position_s(const struct gather *g, int64_t *position_s) {
    if (g->started) *position_s = g->position_s;
    return g->started;
}

const struct data_counts *gather_counts(const struct gather *g) { return &g->counts; }

// --- size ------------------------------------------------------------------------------------

size_t gather_size(const struct gather *g) {
    size_t size = sizeof *g + dictionary_size(g->texts) +
                  g->sample_capacity * sizeof *g->samples + g->part_capacity * sizeof *g->parts;
    for (size_t i = 0; i < g->detector_count; i++) {
        const struct gather_detector *d = &g->detectors[i];
        size += sizeof *d + cells_size(&d->cells) + frequency_size(&d->by_buckets) +
                frequency_size(&d->over_buckets);
    }
    for (size_t i = 0; i < g->open_count; i++)
        size += bucket_size(g->open[i]);
    return g->spare ? size + bucket_size(g->spare) : size;
}

void gather_set_limit(struct gather *g, size_t bytes) {
    g->limit_bytes = bytes;
    g->until_measured = 0;
}

bool gather_is_full(struct gather *g) {
    if (g->limit_bytes == 0) return false;
    if (g->until_measured == 0) {
        g->full = gather_size(g) > g->limit_bytes;
        g->until_measured = 1024;
    }
    g->until_measured--;
    return g->full;
}
