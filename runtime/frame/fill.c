/* frame/fill.c - see frame/fill.h. Absent rows are listed, appended, and merged in by time. */
#include "frame/fill.h"

#include "frame/key.h"
#include <stdlib.h>
#include <string.h>

struct absent {
    int64_t time;
    size_t entity;
};

struct filling {
    struct frame *f;
    const struct fill *fill;
    size_t time_at, *entity_at;  // positions of columns
    const struct column *time, **entity;
    struct key_index *keys;
    int64_t *last;  // [last_capacity] the interval in which an entity was seen last
    size_t last_capacity;
    struct absent *absent;
    size_t absent_count, absent_capacity;
    struct bytes key;
};

static enum status no_memory(struct error *err) {
    return fail(err, STATUS_NO_MEMORY, "no memory to fill empty intervals");
}

static enum status filling_open(struct filling *g, struct error *err) {
    size_t count = g->fill->entity_count;
    g->keys = key_index_new();
    g->entity = calloc(count + 1, sizeof *g->entity);
    g->entity_at = calloc(count + 1, sizeof *g->entity_at);
    if (!g->keys || !g->entity || !g->entity_at) return no_memory(err);
    if (!frame_position(g->f, "time", &g->time_at) ||
        frame_column(g->f, g->time_at)->type != COLUMN_INT)
        return fail(err, STATUS_INVALID, "the frame has no column 'time' of integers");
    g->time = frame_column(g->f, g->time_at);
    for (size_t i = 0; i < count; i++) {
        const char *name = g->fill->entity[i];
        if (!frame_position(g->f, name, &g->entity_at[i]) ||
            frame_column(g->f, g->entity_at[i])->type != COLUMN_TEXT)
            return fail(err, STATUS_INVALID, "the frame has no text column '%s'", name);
        g->entity[i] = frame_column(g->f, g->entity_at[i]);
    }
    return STATUS_OK;
}

static void filling_close(struct filling *g) {
    key_index_free(g->keys);
    free(g->entity);
    free(g->entity_at);
    free(g->last);
    free(g->absent);
    bytes_free(&g->key);
}

// Notes that an entity was seen in the interval `time`.
static enum status see(struct filling *g, const char *key, size_t size, int64_t time,
                       struct error *err) {
    size_t id;
    enum status status = key_index_add(g->keys, key, size, &id, err);
    if (status != STATUS_OK) return status;
    if (id >= g->last_capacity) {
        size_t capacity = 2 * (id + 32);
        int64_t *last = realloc(g->last, capacity * sizeof *last);
        if (!last) return no_memory(err);
        g->last = last;
        g->last_capacity = capacity;
    }
    g->last[id] = time;
    return STATUS_OK;
}

static enum status see_known(struct filling *g, struct error *err) {
    enum status status = STATUS_OK;
    int64_t before = g->fill->from - g->fill->step;
    if (g->fill->entity_count == 0) return see(g, "", 0, before, err);
    for (size_t i = 0; i < g->fill->known_count && status == STATUS_OK; i++)
        status = see(g, g->fill->known[i], g->fill->known_sizes[i], before, err);
    return status;
}

static enum status list_absent(struct filling *g, int64_t time, struct error *err) {
    for (size_t id = 0; id < key_index_count(g->keys); id++) {
        if (g->last[id] == time) continue;
        if (g->absent_count == g->absent_capacity) {
            size_t capacity = 2 * (g->absent_capacity + 32);
            struct absent *absent = realloc(g->absent, capacity * sizeof *absent);
            if (!absent) return no_memory(err);
            g->absent = absent;
            g->absent_capacity = capacity;
        }
        g->absent[g->absent_count++] = (struct absent){time, id};
    }
    return STATUS_OK;
}

static enum status find_absent(struct filling *g, struct error *err) {
    size_t row = 0, rows = frame_rows(g->f);
    enum status status = see_known(g, err);
    for (int64_t t = g->fill->from; t < g->fill->to && status == STATUS_OK;
         t += g->fill->step) {
        for (; row < rows && g->time->ints[row] <= t && status == STATUS_OK; row++) {
            bytes_clear(&g->key);
            key_append(&g->key, g->entity, g->fill->entity_count, row);
            status = see(g, g->key.data ? g->key.data : "", g->key.size, t, err);
        }
        if (status == STATUS_OK) status = list_absent(g, t, err);
    }
    return status;
}

// Splits a key into the category values of a row.
static enum status set_entity(struct filling *g, size_t row, size_t id, struct error *err) {
    size_t size;
    const char *key = key_index_text(g->keys, id, &size), *end = key + size;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < g->fill->entity_count && status == STATUS_OK; i++) {
        const char *stop = memchr(key, KEY_SEPARATOR, (size_t)(end - key));
        if (!stop) stop = end;
        status = frame_set_text(g->f, g->entity_at[i], row, key, (size_t)(stop - key), err);
        key = stop < end ? stop + 1 : end;
    }
    return status;
}

static enum status append_absent(struct filling *g, size_t first, struct error *err) {
    size_t rows_at;
    bool counted = frame_position(g->f, "rows", &rows_at);
    enum status status = frame_append(g->f, g->absent_count, err);
    for (size_t i = 0; i < g->absent_count && status == STATUS_OK; i++) {
        frame_set_int(g->f, g->time_at, first + i, g->absent[i].time);
        if (counted) frame_set_int(g->f, rows_at, first + i, 0);
        status = set_entity(g, first + i, g->absent[i].entity, err);
    }
    return status;
}

static enum status set_values(struct filling *g, size_t first, struct error *err) {
    for (size_t i = 0; i < g->fill->value_count; i++) {
        const struct fill_value *v = &g->fill->values[i];
        size_t at;
        if (!frame_position(g->f, v->column, &at) ||
            frame_column(g->f, at)->type != COLUMN_DOUBLE)
            return fail(err, STATUS_INVALID, "the frame has no number column '%s'", v->column);
        for (size_t row = first; row < frame_rows(g->f); row++)
            frame_set_double(g->f, at, row, v->value);
    }
    return STATUS_OK;
}

// Both halves are in order of time: the first `first` rows, and the appended ones.
static enum status merge(struct filling *g, size_t first, struct error *err) {
    size_t rows = frame_rows(g->f), *order = malloc((rows + 1) * sizeof *order);
    if (!order) return no_memory(err);
    const int64_t *time = frame_column(g->f, g->time_at)->ints;
    for (size_t at = 0, a = 0, b = first; at < rows; at++)
        order[at] = b == rows || (a < first && time[a] <= time[b]) ? a++ : b++;
    enum status status = frame_take(g->f, order, rows, err);
    free(order);
    return status;
}

enum status frame_fill(struct frame *f, const struct fill *fill, size_t *added,
                       struct error *err) {
    struct filling g = {.f = f, .fill = fill};
    size_t first = frame_rows(f);
    *added = 0;
    enum status status = filling_open(&g, err);
    if (status == STATUS_OK) status = find_absent(&g, err);
    if (status == STATUS_OK && g.absent_count) status = append_absent(&g, first, err);
    if (status == STATUS_OK) status = set_values(&g, first, err);
    if (status == STATUS_OK && g.absent_count) status = merge(&g, first, err);
    if (status == STATUS_OK) *added = g.absent_count;
    filling_close(&g);
    return status;
}
