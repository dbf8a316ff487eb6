/* tests/fuzz/record_fuzz.c - any bytes as the body of a job's _data, posted in two parts.
 * The first three bytes choose the job: its function and fields, the form of its records and of
 * their times, where the body is cut. Between the parts the gatherer is saved and loaded; then
 * every bucket is asked for everything. What comes out must agree with the counts. */
#include "job/gather.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const functions[] = {
    "count",    "low_non_zero_count", "distinct_count", "info_content", "rare",
    "metric",   "high_mean",          "median",         "min",          "varp",
    "sum",      "non_null_sum",       "time_of_day",    "time_of_week", "lat_long",
    "freq_rare"};
static const char *const time_formats[] = {"epoch", "epoch_ms", "yyyy-MM-dd HH:mm:ssX",
                                           "yyyy-MM-dd'T'HH:mm:ss[.SSS][XXX]"};

struct watch {
    struct gather *g;
    const struct analysis *analysis;
    uint64_t buckets;
    int64_t last_s;
};

static void must(bool right) {
    if (!right) abort();
}

static void add_detector(struct analysis *a, const uint8_t *choice) {
    struct detector *d;
    must(analysis_add_detector(a, functions[choice[0] % 16], &d, NULL) == STATUS_OK);
    must(analysis_set_text(&d->field, "v", NULL) == STATUS_OK);
    if (choice[1] & 1) must(analysis_set_text(&d->by, "b", NULL) == STATUS_OK);
    if (choice[1] & 2) must(analysis_set_text(&d->over, "o.p", NULL) == STATUS_OK);
    if (choice[1] & 4) must(analysis_set_text(&d->partition, "p", NULL) == STATUS_OK);
    d->use_null = choice[1] & 8;
    if (choice[1] & 16) d->exclude_frequent = EXCLUDE_FREQUENT_ALL;
}

static struct analysis *make_analysis(const uint8_t *choice) {
    struct analysis *a = analysis_new("fuzz");
    must(a != NULL);
    a->bucket_span_s = 10;
    a->latency_s = choice[1] & 32 ? 25 : 0;
    a->delimited = choice[2] & 1;
    a->delimiter = ',';
    must(analysis_set_text(&a->time_field, "t", NULL) == STATUS_OK);
    must(analysis_set_text(&a->time_format, time_formats[choice[2] >> 1 & 3], NULL) ==
         STATUS_OK);
    if (choice[2] & 8) must(analysis_set_text(&a->summary_count_field, "n", NULL) == STATUS_OK);
    if (choice[2] & 16) must(analysis_add_influencer(a, "i", NULL) == STATUS_OK);
    if (choice[2] & 32) must(analysis_add_influencer(a, "b", NULL) == STATUS_OK);
    add_detector(a, choice);
    add_detector(a, (const uint8_t[]){0, 4, 0});
    return a;
}

// Asks for all that a cell has.
static void read_cell(struct gather_bucket *b, const struct watch *w, size_t detector,
                      uint32_t cell) {
    struct feature features[FEATURES_MAX];
    size_t features_count = detector_features(&w->analysis->detectors[detector], features);
    const struct tally *t = gather_tally(b, detector, cell);
    must(t && t->count >= 0);
    for (size_t i = 0; i < features_count; i++) {
        double value[FEATURE_VALUES];
        const struct sample *samples;
        size_t count;
        if (gather_value(b, detector, &features[i], t, value)) must(isfinite(value[0]));
        must(gather_samples(b, detector, cell, &features[i], &samples, &count, NULL) ==
             STATUS_OK);
        for (size_t j = 0; j < count; j++)
            must(isfinite(samples[j].value[0]) && samples[j].count > 0);
        gather_times(b, t, &count);
        for (uint32_t at = t->slices; at != TALLY_NONE;) {
            const struct gather_slice *s = gather_slice(b, detector, at);
            gather_value(b, detector, &features[i], &s->tally, value);
            must(s->tally.count <= t->count);
            must(gather_text(w->g, s->value, &count) != NULL);
            at = s->next;
        }
    }
}

static enum status closed(void *context, struct gather_bucket *b, struct error *err) {
    struct watch *w = context;
    (void)err;
    w->buckets++;
    must(gather_bucket_start_s(b) > w->last_s);
    w->last_s = gather_bucket_start_s(b);
    for (size_t i = 0; i < w->analysis->detector_count; i++) {
        size_t count;
        const uint32_t *cells = gather_touched(b, i, &count);
        for (size_t j = 0; j < count; j++)
            read_cell(b, w, i, cells[j]);
    }
    if (w->buckets % 5 == 0 && gather_bucket_events(b) > 0)
        gather_prune(w->g, w->buckets % 2, w->last_s - 120, NULL, NULL, NULL);
    return STATUS_OK;
}

static void listen_to(struct gather *g, struct watch *w) {
    w->g = g;
    gather_listen(g, &(struct gather_listener){.context = w, .close = closed});
}

// Another gather made from this one's bytes, which must be the same bytes again.
static struct gather *reload(struct gather *g, struct watch *w) {
    struct pack size = {0}, again = {0};
    gather_save(g, &size);
    uint8_t *bytes = malloc(size.size);
    must(bytes != NULL);
    gather_save(g, &(struct pack){.bytes = bytes, .capacity = size.size});
    struct gather *loaded = NULL;
    must(gather_new(w->analysis, &loaded, NULL) == STATUS_OK);
    struct unpack in = {.bytes = bytes, .size = size.size};
    must(gather_load(loaded, &in, NULL) == STATUS_OK && unpack_left(&in) == 0);
    gather_save(loaded, &again);
    must(again.size == size.size);
    free(bytes);
    gather_free(g);
    listen_to(loaded, w);
    return loaded;
}

static void post(struct gather *g, const uint8_t *body, size_t size) {
    struct data_counts counts;
    struct error err;
    char *copy = malloc(size ? size : 1);  // just so much: the sanitizer sees what is read
    must(copy != NULL);
    if (size) memcpy(copy, body, size);
    enum status status = gather_post(g, copy, size, &counts, &err);
    must(status == STATUS_OK || status == STATUS_INVALID);
    must(counts.input_bytes == size);
    must(counts.input_record_count == counts.processed_record_count +
                                          counts.invalid_date_count +
                                          counts.out_of_order_timestamp_count);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 4) return 0;
    struct analysis *a = make_analysis(data);
    struct watch w = {.analysis = a, .last_s = INT64_MIN};
    struct gather *g = NULL;
    must(gather_new(a, &g, NULL) == STATUS_OK);
    listen_to(g, &w);
    size_t cut = 4 + (size - 4) * data[3] / 255;
    post(g, data + 4, cut - 4);
    g = reload(g, &w);
    post(g, data + cut, size - cut);
    int64_t position_s;
    if (gather_position_s(g, &position_s))
        must(gather_advance(g, position_s + 600, NULL) == STATUS_OK);
    must(gather_counts(g)->bucket_count == w.buckets);
    gather_free(g);
    analysis_free(a);
    return 0;
}
