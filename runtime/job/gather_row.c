/* job/gather_row.c - one record into the tallies of its bucket: no allocation and no model in a
 * steady stream, one lookup of each text and of each cell. */
#include "base/hash.h"
#include "job/gather_internal.h"

#include <math.h>
#include <string.h>

// How a record counts.
struct weight {
    double count;   // measurements that it stands for
    bool explicit;  // false: it says that there is nothing (a null summary count)
};

// A row of one detector.
struct row {
    struct gather *g;
    struct gather_bucket *bucket;
    const struct record *record;
    double time_s;
    struct weight weight;
    double value[2];  // of the detector's field
    uint32_t text;    // the same as a text's id
    uint64_t hash;
    bool failed;  // memory ran out
};

static bool is_missing(const struct record_value *v) {
    return v->kind == RECORD_ABSENT || v->size == 0;
}

// --- weights ---------------------------------------------------------------------------------

static bool is_null_text(const struct record_value *v) {
    return is_missing(v) || (v->size == 4 && memcmp(v->text, "null", 4) == 0);
}

// False: the record is to be passed over.
static bool read_weight(const struct gather *g, const struct record *record,
                        struct weight *weight) {
    *weight = (struct weight){1, true};
    if (g->summary_count == FIELD_NONE) return true;
    const struct record_value *v = &record->values[g->summary_count];
    if (is_null_text(v)) {
        *weight = (struct weight){0, false};
        return true;
    }
    if (!record_number(v, &weight->count)) return false;
    weight->count = round(weight->count);
    return weight->count > 0;
}

// --- texts and cells -------------------------------------------------------------------------

// The text of a field of the present row; missing is empty text.
static struct gather_text *look_up(struct gather *g, const struct record *record,
                                   uint32_t field) {
    struct gather_text *t = &g->looked_up[field];
    if (t->row == g->row) return t;
    const struct record_value *v = &record->values[field];
    const char *text = v->kind == RECORD_ABSENT ? "" : v->text;
    size_t size = v->kind == RECORD_ABSENT ? 0 : v->size;
    t->row = g->row;
    t->hash = dictionary_hash(text, size);
    t->id = dictionary_find(g->texts, t->hash, text, size);
    return t;
}

// Its id, made when there is none. DICTIONARY_NONE when memory runs out.
static uint32_t text_id(struct gather *g, const struct record *record, uint32_t field) {
    struct gather_text *t = look_up(g, record, field);
    if (t->id != DICTIONARY_NONE) return t->id;
    const struct record_value *v = &record->values[field];
    bool absent = v->kind == RECORD_ABSENT;
    t->id = dictionary_add(g->texts, t->hash, absent ? "" : v->text, absent ? 0 : v->size);
    return t->id;
}

// A new cell, if the listener admits it.
static uint32_t new_cell(struct row *r, size_t at) {
    struct gather *g = r->g;
    struct gather_detector *d = &g->detectors[at];
    if (g->listener.admit && !g->listener.admit(g->listener.context, at)) {
        r->bucket->refused++;
        return GATHER_NONE;
    }
    const uint32_t fields[] = {d->partition, d->by, d->over};
    uint32_t ids[3];
    for (size_t i = 0; i < 3; i++) {
        ids[i] = GATHER_NONE;
        if (fields[i] == FIELD_NONE) continue;
        ids[i] = text_id(g, r->record, fields[i]);
        if (ids[i] == DICTIONARY_NONE) r->failed = true;
    }
    if (r->failed) return GATHER_NONE;
    uint32_t cell = cells_add(&d->cells, g->texts, ids[0], ids[1], ids[2], r->bucket->start_s);
    r->failed = cell == GATHER_NONE;
    return cell;
}

// The cell of the row; GATHER_NONE when it has none or may not have one.
static uint32_t find_cell(struct row *r, size_t at) {
    struct gather *g = r->g;
    const struct gather_detector *d = &g->detectors[at];
    const uint32_t fields[] = {d->partition, d->by, d->over};
    uint32_t ids[3];
    bool known = true;
    for (size_t i = 0; i < 3; i++) {
        ids[i] = GATHER_NONE;
        if (fields[i] == FIELD_NONE) continue;
        if (i > 0 && !d->config->use_null && is_missing(&r->record->values[fields[i]]))
            return GATHER_NONE;
        ids[i] = look_up(g, r->record, fields[i])->id;
        known = known && ids[i] != DICTIONARY_NONE;
    }
    uint32_t cell = known ? cells_find(&d->cells, ids[0], ids[1], ids[2]) : GATHER_NONE;
    return cell == GATHER_NONE ? new_cell(r, at) : cell;
}

// --- values ----------------------------------------------------------------------------------

// "lat,lon" in degrees.
static bool read_location(const struct record_value *v, double *place) {
    const char *comma = is_missing(v) ? NULL : memchr(v->text, ',', v->size);
    if (!comma) return false;
    struct record_value latitude = record_text(v->text, (size_t)(comma - v->text));
    struct record_value longitude =
        record_text(comma + 1, v->size - (size_t)(comma + 1 - v->text));
    return record_number(&latitude, &place[0]) && record_number(&longitude, &place[1]) &&
           fabs(place[0]) <= 180 && fabs(place[1]) <= 180;
}

static double within(double time_s, int period_s) {
    double rest = fmod(floor(time_s), period_s);
    return rest < 0 ? rest + period_s : rest;
}

// Reads what the detector needs of its field; false: the row is not for it.
static bool read_value(struct row *r, const struct gather_detector *d) {
    const struct record_value *v = d->field == FIELD_NONE ? NULL : &r->record->values[d->field];
    switch (d->gathering) {
    case GATHER_COUNT:
        return true;
    case GATHER_TIMES:
        r->value[0] = within(r->time_s, d->period_s);
        return true;
    case GATHER_LOCATION:
        return v && read_location(v, r->value);
    case GATHER_DISTINCT:
        if (!v || is_missing(v)) return false;
        r->hash = look_up(r->g, r->record, d->field)->hash;
        return true;
    case GATHER_TEXTS:
        if (!v || is_missing(v)) return false;
        r->text = text_id(r->g, r->record, d->field);
        r->failed = r->text == DICTIONARY_NONE;
        if (!r->failed) dictionary_stamp(r->g->texts, r->text, r->bucket->stamp);
        return !r->failed;
    default:
        return v && record_number(v, &r->value[0]);
    }
}

// --- tallies ---------------------------------------------------------------------------------

static void add_metric(struct tally *t, const struct row *r) {
    double value = r->value[0], share = r->weight.count / t->count,
           difference = value - t->mean;
    t->mean += difference * share;
    t->m2 += r->weight.count * difference * (value - t->mean);
    t->time_s += (r->time_s - t->time_s) * share;
    t->min = value < t->min ? value : t->min;
    t->max = value > t->max ? value : t->max;
}

static void add_location(struct tally *t, const struct row *r) {
    double share = r->weight.count / t->count;
    t->mean += (r->value[0] - t->mean) * share;
    t->sum += (r->value[1] - t->sum) * share;
    t->time_s += (r->time_s - t->time_s) * share;
}

static struct part part_of(const struct row *r, enum detector_function function) {
    struct part p = {r->time_s, r->weight.count, {r->value[0], r->value[0], r->value[0]}};
    if (function == FUNCTION_VARP) p.value[1] = 0;
    if (function == FUNCTION_LAT_LONG) p.value[1] = r->value[1];
    return p;
}

static void add_part(struct row *r, const struct gather_detector *d, struct tally *t) {
    struct part part = part_of(r, d->config->function);
    if (!bucket_add_part(r->bucket, t, &part, d->config->function)) r->failed = true;
}

// Sets do not grow past the limit: a bucket of endless values is still one bucket.
static void add_value(struct row *r, struct tally *t, uint64_t value) {
    if (gather_is_full(r->g)) return;
    if (!bucket_add_value(r->bucket, t, value)) r->failed = true;
}

/* Adds the row to a cell's tally, or (slice) to that of an influencer value, which keeps parts
 * only where its own statistic needs them. */
static void add(struct row *r, const struct gather_detector *d, struct tally *t, bool slice) {
    if (!r->weight.explicit) return;
    t->count += r->weight.count;
    switch (d->gathering) {
    case GATHER_COUNT:
        break;
    case GATHER_SUM:
        t->sum += r->value[0];
        break;
    case GATHER_METRIC:
        add_metric(t, r);
        if (slice ? d->config->function == FUNCTION_MEDIAN
                  : d->cells.sampled || d->config->function == FUNCTION_MEDIAN)
            add_part(r, d, t);
        break;
    case GATHER_LOCATION:
        add_location(t, r);
        if (!slice && d->cells.sampled) add_part(r, d, t);
        break;
    case GATHER_DISTINCT:
        add_value(r, t, r->hash);
        break;
    case GATHER_TEXTS:
        add_value(r, t, (uint64_t)r->text + 1);
        break;
    case GATHER_TIMES:
        if (!slice) add_part(r, d, t);
        break;
    }
}

static void add_slices(struct row *r, size_t at, uint32_t cell) {
    struct gather *g = r->g;
    const struct gather_detector *d = &g->detectors[at];
    for (uint32_t i = 0; i < g->influencer_count && !r->failed; i++) {
        uint32_t field = d->influencers[i];
        if (field == FIELD_NONE || is_missing(&r->record->values[field])) continue;
        bool full = gather_is_full(g), fresh = false;
        if (full && look_up(g, r->record, field)->id == DICTIONARY_NONE) continue;
        uint32_t value = text_id(g, r->record, field);
        if (value == DICTIONARY_NONE) {
            r->failed = true;
            return;
        }
        struct tally *t = bucket_slice(r->bucket, at, cell, i, value, full, &fresh);
        if (!t && !full) r->failed = true;
        if (!t) continue;
        if (fresh) dictionary_stamp(g->texts, value, r->bucket->stamp);
        add(r, d, t, true);
    }
}

// Notes that the cell is there, once per bucket.
static void note_cell(struct row *r, struct gather_detector *d, uint32_t number) {
    struct gather_cell *cell = &d->cells.list[number];
    int64_t start_s = r->bucket->start_s;
    bool noted = true;
    if (cell->last_s < start_s) cell->last_s = start_s;
    if (d->config->exclude_frequent & EXCLUDE_FREQUENT_BY && cell->by != GATHER_NONE)
        noted = frequency_note(&d->by_buckets, cell->partition, cell->by, start_s);
    if (d->config->exclude_frequent & EXCLUDE_FREQUENT_OVER && cell->over != GATHER_NONE)
        noted = frequency_note(&d->over_buckets, cell->partition, cell->over, start_s) && noted;
    r->failed = r->failed || !noted;
}

static void take(struct row *r, size_t at) {
    struct gather_detector *d = &r->g->detectors[at];
    if (!read_value(r, d)) return;
    uint32_t cell = find_cell(r, at);
    if (cell == GATHER_NONE) return;
    bool fresh = false;
    struct tally *t = bucket_touch(r->bucket, at, cell, &fresh);
    if (!t) {
        r->failed = true;
        return;
    }
    if (fresh) note_cell(r, d, cell);
    add(r, d, t, false);
    if (r->g->influencer_count) add_slices(r, at, cell);
}

enum status gather_row(struct gather *g, struct gather_bucket *b, const struct record *record,
                       double time_s, struct error *err) {
    struct row row = {.g = g, .bucket = b, .record = record, .time_s = time_s};
    b->records++;
    if (!read_weight(g, record, &row.weight)) return STATUS_OK;
    b->events += row.weight.count;
    for (size_t i = 0; i < g->detector_count && !row.failed; i++)
        take(&row, i);
    return row.failed ? fail(err, STATUS_NO_MEMORY, "no memory for the rows of a bucket")
                      : STATUS_OK;
}
