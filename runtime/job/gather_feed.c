/* job/gather_feed.c - rows of a frame as records: what a datafeed found, without JSON. */
#include "base/bytes.h"
#include "job/gather_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct feed {
    struct gather *g;
    const struct column **columns;  // [fields->count], NULL: the frame has none
    bool *as_text;                  // [fields->count] the field's text is read too
    struct record record;
    struct bytes scratch;  // numbers as texts
};

static void mark_text(struct feed *f, uint32_t field) {
    if (field != FIELD_NONE) f->as_text[field] = true;
}

static void mark_texts(struct feed *f) {
    const struct gather *g = f->g;
    for (size_t i = 0; i < g->influencer_count; i++)
        mark_text(f, field_of(g->fields, g->analysis->influencers[i]));
    for (size_t i = 0; i < g->detector_count; i++) {
        const struct gather_detector *d = &g->detectors[i];
        mark_text(f, d->partition);
        mark_text(f, d->by);
        mark_text(f, d->over);
        if (d->gathering == GATHER_DISTINCT || d->gathering == GATHER_TEXTS)
            mark_text(f, d->field);
    }
}

// A number's text stands in scratch until the next row: its place now, the pointer later.
static void read_number(struct feed *f, const struct column *c, size_t row, bool as_text,
                        struct record_value *v) {
    size_t start = f->scratch.size;
    v->kind = RECORD_NUMBER;
    if (c->type == COLUMN_DOUBLE) {
        v->number = c->doubles[row];
        if (as_text) bytes_append_double(&f->scratch, v->number);
    } else {
        v->number = (double)c->ints[row];
        if (as_text) bytes_append_int(&f->scratch, c->ints[row]);
    }
    // Who does not read the text still sees that there is one.
    v->text = NULL;
    v->size = as_text ? f->scratch.size - start : 1;
    v->integer = (int64_t)start;
}

static void read_value(struct feed *f, size_t field, size_t row) {
    const struct column *c = f->columns[field];
    struct record_value *v = &f->record.values[field];
    *v = (struct record_value){.kind = RECORD_ABSENT, .text = ""};
    if (!c || column_missing(c, row)) return;
    if (c->type == COLUMN_DOUBLE && isnan(c->doubles[row])) return;
    f->record.seen++;
    if (c->type == COLUMN_TEXT) {
        v->kind = RECORD_TEXT;
        v->text = column_text(c, row, &v->size);
    } else if (c->type == COLUMN_BOOL) {
        *v = record_text(c->ints[row] ? "true" : "false", c->ints[row] ? 4 : 5);
    } else {
        read_number(f, c, row, f->as_text[field], v);
    }
}

static bool read_time(const struct feed *f, size_t row, int64_t *ms) {
    const struct column *c = f->columns[0];
    if (!c || c->type == COLUMN_TEXT || column_missing(c, row)) return false;
    if (c->type == COLUMN_DOUBLE) {
        double time = floor(c->doubles[row]);
        if (!(time >= (double)RECORD_TIME_MIN_MS && time <= (double)RECORD_TIME_MAX_MS))
            return false;
        *ms = (int64_t)time;
    } else {
        *ms = c->ints[row];
    }
    return *ms >= RECORD_TIME_MIN_MS && *ms <= RECORD_TIME_MAX_MS;
}

static void read_row(struct feed *f, size_t row) {
    f->record.seen = 0;
    bytes_clear(&f->scratch);
    for (size_t i = 0; i < f->g->fields->count; i++)
        read_value(f, i, row);
    for (size_t i = 0; i < f->g->fields->count; i++) {
        struct record_value *v = &f->record.values[i];
        if (!v->text)
            v->text =
                f->as_text[i] && bytes_ok(&f->scratch) ? f->scratch.data + v->integer : " ";
    }
}

static enum status feed_rows(struct feed *f, const struct frame *frame, struct error *err) {
    enum status status = STATUS_OK;
    for (size_t i = 0; i < f->g->fields->count; i++)
        f->columns[i] = frame_find(frame, f->g->fields->list[i].name);
    mark_texts(f);
    for (size_t row = 0; status == STATUS_OK && row < frame_rows(frame); row++) {
        int64_t ms = 0;
        read_row(f, row);
        if (!bytes_ok(&f->scratch)) return fail(err, STATUS_NO_MEMORY, "no memory for a row");
        bool timed = read_time(f, row, &ms);
        status = gather_take(f->g, &f->record, timed, ms, err);
    }
    return status;
}

enum status gather_feed(struct gather *g, const struct frame *frame, struct data_counts *counts,
                        struct error *err) {
    size_t fields = g->fields->count;
    struct feed f = {.g = g};
    f.columns = calloc(fields, sizeof *f.columns);
    f.as_text = calloc(fields, sizeof *f.as_text);
    f.record.values = calloc(fields, sizeof *f.record.values);
    gather_begin(g, counts);
    enum status status = f.columns && f.as_text && f.record.values
                             ? feed_rows(&f, frame, err)
                             : fail(err, STATUS_NO_MEMORY, "no memory for a datafeed's rows");
    gather_end(g);
    bytes_free(&f.scratch);
    free(f.record.values);
    free(f.as_text);
    free(f.columns);
    return status;
}
