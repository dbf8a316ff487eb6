/* job/gather_save.c - a gather as bytes: texts, cells, the clock, the open buckets. */
#include "job/gather_internal.h"

#include <math.h>

#include <string.h>

#define MAGIC 0x52485447u  // "GTHR"
#define VERSION 1

static void save_counts(const struct data_counts *c, struct pack *out) {
    const uint64_t numbers[] = {c->processed_record_count,
                                c->processed_field_count,
                                c->input_bytes,
                                c->input_field_count,
                                c->invalid_date_count,
                                c->missing_field_count,
                                c->out_of_order_timestamp_count,
                                c->empty_bucket_count,
                                c->sparse_bucket_count,
                                c->bucket_count,
                                c->input_record_count,
                                (uint64_t)c->earliest_record_ms,
                                (uint64_t)c->latest_record_ms,
                                (uint64_t)c->latest_empty_bucket_ms,
                                (uint64_t)c->latest_sparse_bucket_ms};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        pack_u64(out, numbers[i]);
}

static void load_counts(struct data_counts *c, struct unpack *in) {
    c->processed_record_count = unpack_u64(in);
    c->processed_field_count = unpack_u64(in);
    c->input_bytes = unpack_u64(in);
    c->input_field_count = unpack_u64(in);
    c->invalid_date_count = unpack_u64(in);
    c->missing_field_count = unpack_u64(in);
    c->out_of_order_timestamp_count = unpack_u64(in);
    c->empty_bucket_count = unpack_u64(in);
    c->sparse_bucket_count = unpack_u64(in);
    c->bucket_count = unpack_u64(in);
    c->input_record_count = unpack_u64(in);
    c->earliest_record_ms = (int64_t)unpack_u64(in);
    c->latest_record_ms = (int64_t)unpack_u64(in);
    c->latest_empty_bucket_ms = (int64_t)unpack_u64(in);
    c->latest_sparse_bucket_ms = (int64_t)unpack_u64(in);
}

static void save_clock(const struct gather *g, struct pack *out) {
    pack_u8(out, g->started);
    pack_u64(out, (uint64_t)g->position_s);
    pack_u64(out, (uint64_t)g->partial_s);
    pack_u64(out, (uint64_t)g->latest_bucket_s);
    pack_u64(out, (uint64_t)g->latest_ms);
    pack_u64(out, g->closed);
    pack_u64(out, g->closed_records);
    pack_u64(out, g->buckets);
    pack_u64(out, g->stamp);
    save_counts(&g->counts, out);
}

// A time that any record could have, in units of which there are per_s in a second.
static bool believable(int64_t time, int64_t per_s) {
    return time >= 2 * RECORD_TIME_MIN_MS / 1000 * per_s &&
           time <= 2 * RECORD_TIME_MAX_MS / 1000 * per_s;
}

static bool load_clock(struct gather *g, struct unpack *in) {
    g->started = unpack_u8(in) != 0;
    g->position_s = (int64_t)unpack_u64(in);
    g->partial_s = (int64_t)unpack_u64(in);
    g->latest_bucket_s = (int64_t)unpack_u64(in);
    g->latest_ms = (int64_t)unpack_u64(in);
    g->closed = unpack_u64(in);
    g->closed_records = unpack_u64(in);
    g->buckets = unpack_u64(in);
    g->stamp = unpack_u64(in);
    load_counts(&g->counts, in);
    return !in->failed && believable(g->position_s, 1) && believable(g->latest_bucket_s, 1) &&
           gather_floor(g, g->position_s) == g->position_s &&
           (g->latest_ms == COUNT_NO_TIME || believable(g->latest_ms, 1000));
}

void gather_save(const struct gather *g, struct pack *out) {
    pack_u32(out, MAGIC);
    pack_u8(out, VERSION);
    pack_u32(out, (uint32_t)g->detector_count);
    pack_u32(out, (uint32_t)g->influencer_count);
    pack_u64(out, (uint64_t)g->analysis->bucket_span_s);
    save_clock(g, out);
    dictionary_save(g->texts, out);
    for (size_t i = 0; i < g->detector_count; i++) {
        const struct gather_detector *d = &g->detectors[i];
        cells_save(&d->cells, out);
        frequency_save(&d->by_buckets, out);
        frequency_save(&d->over_buckets, out);
    }
    pack_u32(out, (uint32_t)g->open_count);
    for (size_t i = 0; i < g->open_count; i++)
        bucket_save(g->open[i], out);
}

static bool load_detector(struct gather *g, struct gather_detector *d, struct unpack *in) {
    return cells_load(&d->cells, g->texts, in) && frequency_load(&d->by_buckets, in) &&
           frequency_load(&d->over_buckets, in);
}

// Whether a bucket may follow the ones before it.
static bool fits(const struct gather *g, int64_t start_s) {
    int64_t after_s = g->open_count ? g->open[g->open_count - 1]->start_s : g->position_s - 1;
    return start_s > after_s && believable(start_s, 1) && gather_floor(g, start_s) == start_s;
}

static bool load_buckets(struct gather *g, struct unpack *in) {
    size_t count = unpack_u32(in);
    for (size_t i = 0; i < count; i++) {
        int64_t start_s = (int64_t)unpack_u64(in);
        if (in->failed || !fits(g, start_s)) return false;
        uint64_t stamp = g->stamp;
        struct gather_bucket *b = gather_bucket_at(g, start_s);
        g->stamp = stamp;
        if (!b || !bucket_load(b, in)) return false;
    }
    return !in->failed;
}

static bool load(struct gather *g, struct unpack *in) {
    if (unpack_u32(in) != MAGIC || unpack_u8(in) != VERSION ||
        unpack_u32(in) != g->detector_count || unpack_u32(in) != g->influencer_count ||
        (int64_t)unpack_u64(in) != g->analysis->bucket_span_s)
        return false;
    if (!load_clock(g, in) || !dictionary_load(g->texts, in)) return false;
    for (size_t i = 0; i < g->detector_count; i++)
        if (!load_detector(g, &g->detectors[i], in)) return false;
    return load_buckets(g, in);
}

enum status gather_load(struct gather *g, struct unpack *in, struct error *err) {
    if (load(g, in)) return STATUS_OK;
    gather_clear(g);
    return fail(err, STATUS_INVALID, "the saved gatherer of job '%s' is damaged",
                g->analysis->job_id);
}

// --- buckets ---------------------------------------------------------------------------------

static void save_list(const struct bucket_list *list, bool set, struct pack *out) {
    pack_u32(out, list->count);
    if (!set) {
        if (list->count) pack_bytes(out, list->parts, list->count * sizeof *list->parts);
        return;
    }
    for (uint32_t i = 0; i < list->capacity; i++)
        if (list->slots[i]) pack_u64(out, list->slots[i]);
}

static void save_tally(const struct gather_bucket *b, const struct tally *t, bool set,
                       struct pack *out) {
    const struct bucket_list *list = bucket_list(b, t);
    const double numbers[] = {t->count, t->mean, t->m2, t->sum, t->min, t->max, t->time_s};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        pack_f64(out, numbers[i]);
    pack_u8(out, list != NULL);
    if (list) save_list(list, set, out);
}

static bool is_set(const struct gather_detector *d) {
    return d->gathering == GATHER_DISTINCT || d->gathering == GATHER_TEXTS;
}

static void save_detector(const struct gather_bucket *b, size_t at, struct pack *out) {
    const struct bucket_detector *d = &b->detectors[at];
    bool set = is_set(&b->gather->detectors[at]);
    pack_u32(out, d->touched_count);
    for (uint32_t i = 0; i < d->touched_count; i++) {
        pack_u32(out, d->touched[i]);
        save_tally(b, &d->tallies[d->touched[i]], set, out);
    }
    pack_u32(out, d->slice_count);
    for (uint32_t i = 0; i < d->slice_count; i++) {
        pack_u32(out, d->slices[i].cell);
        pack_u32(out, d->slices[i].influencer);
        pack_u32(out, d->slices[i].value);
        save_tally(b, &d->slices[i].tally, set, out);
    }
}

void bucket_save(const struct gather_bucket *b, struct pack *out) {
    pack_u64(out, (uint64_t)b->start_s);
    pack_u64(out, b->stamp);
    pack_u64(out, b->records);
    pack_f64(out, b->events);
    pack_u64(out, b->refused);
    for (size_t i = 0; i < b->detector_count; i++)
        save_detector(b, i, out);
}

static bool load_set(struct gather_bucket *b, struct tally *t, size_t count, bool texts,
                     struct unpack *in) {
    for (size_t i = 0; i < count; i++) {
        uint64_t value = unpack_u64(in);
        if (in->failed || value == 0) return false;
        if (texts &&
            (value > UINT32_MAX || !dictionary_has(b->gather->texts, (uint32_t)(value - 1))))
            return false;
        if (!bucket_add_value(b, t, value)) return false;
    }
    return true;
}

static bool load_parts(struct gather_bucket *b, struct tally *t, size_t count,
                       struct unpack *in) {
    struct part part;
    for (size_t i = 0; i < count; i++) {
        unpack_bytes(in, &part, sizeof part);
        if (in->failed || !(part.count > 0)) return false;
        // As a median: its list has the most room, and none is joined.
        if (!bucket_add_part(b, t, &part, FUNCTION_MEDIAN)) return false;
    }
    return true;
}

static bool load_tally(struct gather_bucket *b, struct tally *t,
                       const struct gather_detector *d, struct unpack *in) {
    t->count = unpack_f64(in);
    t->mean = unpack_f64(in);
    t->m2 = unpack_f64(in);
    t->sum = unpack_f64(in);
    t->min = unpack_f64(in);
    t->max = unpack_f64(in);
    t->time_s = unpack_f64(in);
    if (!(t->count >= 0)) return false;
    if (!unpack_u8(in)) return !in->failed;
    size_t count = unpack_u32(in);
    if (in->failed || count > unpack_left(in)) return false;
    if (is_set(d)) return load_set(b, t, count, d->gathering == GATHER_TEXTS, in);
    return count <= PARTS_MEDIAN_MAX && load_parts(b, t, count, in);
}

static bool live_cell(const struct gather_bucket *b, size_t at, uint32_t cell) {
    const struct cells *c = &b->gather->detectors[at].cells;
    return cell < c->count && c->list[cell].live;
}

static bool load_cell(struct gather_bucket *b, size_t at, struct unpack *in) {
    uint32_t cell = unpack_u32(in);
    bool fresh = false;
    if (in->failed || !live_cell(b, at, cell)) return false;
    struct tally *t = bucket_touch(b, at, cell, &fresh);
    return t && fresh && load_tally(b, t, &b->gather->detectors[at], in);
}

static bool load_slice(struct gather_bucket *b, size_t at, struct unpack *in) {
    uint32_t cell = unpack_u32(in), influencer = unpack_u32(in), value = unpack_u32(in);
    bool fresh = false;
    if (in->failed || !gather_tally(b, at, cell) || influencer >= b->gather->influencer_count ||
        !dictionary_has(b->gather->texts, value))
        return false;
    struct tally *t = bucket_slice(b, at, cell, influencer, value, false, &fresh);
    return t && fresh && load_tally(b, t, &b->gather->detectors[at], in);
}

bool bucket_load(struct gather_bucket *b, struct unpack *in) {
    b->stamp = unpack_u64(in);
    b->records = unpack_u64(in);
    b->events = unpack_f64(in);
    b->refused = unpack_u64(in);
    for (size_t i = 0; i < b->detector_count; i++) {
        size_t cells = unpack_u32(in);
        for (size_t j = 0; j < cells; j++)
            if (!load_cell(b, i, in)) return false;
        size_t slices = unpack_u32(in);
        for (size_t j = 0; j < slices; j++)
            if (!load_slice(b, i, in)) return false;
    }
    return !in->failed && b->stamp <= b->gather->stamp;
}
