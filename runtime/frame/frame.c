/* frame/frame.c - see frame.h. */
#include "frame/frame.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct frame {
    struct column *columns;
    size_t column_count, column_capacity;
    size_t rows, row_capacity;
};

struct frame *frame_new(void) {
    return calloc(1, sizeof(struct frame));
}

void frame_free(struct frame *f) {
    if (!f) return;
    for (size_t i = 0; i < f->column_count; i++) {
        struct column *c = &f->columns[i];
        free(c->name);
        free(c->doubles);
        free(c->bytes);
        free(c->missing);
    }
    free(f->columns);
    free(f);
}

size_t frame_rows(const struct frame *f) { return f->rows; }
size_t frame_columns(const struct frame *f) { return f->column_count; }

// Every column's cells are eight bytes, whatever its type.
static const size_t cell_size = sizeof(int64_t);

// Cells [from, to) get "no value"; the arrays must be large enough.
static void clear_cells(struct column *c, size_t from, size_t to) {
    for (size_t row = from; row < to; row++) {
        if (c->type == COLUMN_DOUBLE)
            c->doubles[row] = NAN;
        else if (c->type == COLUMN_TEXT)
            c->ends[row] = 0;  // made right when a later row is set
        else
            c->ints[row] = 0;
        c->missing[row] = 1;
    }
}

static enum status reserve_cells(struct column *c, size_t capacity, struct error *err) {
    int64_t *cells = realloc(c->ints, capacity * cell_size);
    if (!cells) return fail(err, STATUS_NO_MEMORY, "no memory for %zu rows", capacity);
    c->ints = cells;
    uint8_t *missing = realloc(c->missing, capacity);
    if (!missing) return fail(err, STATUS_NO_MEMORY, "no memory for %zu rows", capacity);
    c->missing = missing;
    return STATUS_OK;
}

enum status frame_add_column(struct frame *f, const char *name, enum column_type type,
                             size_t *at, struct error *err) {
    if (frame_find(f, name))
        return fail(err, STATUS_CONFLICT, "the frame already has a column '%s'", name);
    if (f->column_count == f->column_capacity) {
        size_t capacity = f->column_capacity ? f->column_capacity * 2 : 8;
        struct column *columns = realloc(f->columns, capacity * sizeof *columns);
        if (!columns) return fail(err, STATUS_NO_MEMORY, "no memory for %zu columns", capacity);
        f->columns = columns;
        f->column_capacity = capacity;
    }
    struct column c = {.name = strdup(name), .type = type};
    if (!c.name || reserve_cells(&c, f->row_capacity ? f->row_capacity : 1, err) != STATUS_OK) {
        free(c.name);
        free(c.ints);
        free(c.missing);
        return fail(err, STATUS_NO_MEMORY, "no memory for column '%s'", name);
    }
    clear_cells(&c, 0, f->rows);
    *at = f->column_count;
    f->columns[f->column_count++] = c;
    return STATUS_OK;
}

struct column *frame_column(struct frame *f, size_t at) {
    assert(at < f->column_count);
    return &f->columns[at];
}

const struct column *frame_column_const(const struct frame *f, size_t at) {
    assert(at < f->column_count);
    return &f->columns[at];
}

bool frame_position(const struct frame *f, const char *name, size_t *at) {
    for (size_t i = 0; i < f->column_count; i++)
        if (strcmp(f->columns[i].name, name) == 0) {
            *at = i;
            return true;
        }
    return false;
}

struct column *frame_find(const struct frame *f, const char *name) {
    size_t at;
    return frame_position(f, name, &at) ? &f->columns[at] : NULL;
}

enum status frame_append(struct frame *f, size_t count, struct error *err) {
    size_t rows = f->rows + count;
    if (rows > f->row_capacity) {
        size_t capacity = f->row_capacity ? f->row_capacity : 64;
        while (capacity < rows)
            capacity *= 2;
        for (size_t i = 0; i < f->column_count; i++)
            if (reserve_cells(&f->columns[i], capacity, err) != STATUS_OK)
                return STATUS_NO_MEMORY;
        f->row_capacity = capacity;
    }
    for (size_t i = 0; i < f->column_count; i++)
        clear_cells(&f->columns[i], f->rows, rows);
    f->rows = rows;
    return STATUS_OK;
}

void frame_set_double(struct frame *f, size_t at, size_t row, double value) {
    struct column *c = frame_column(f, at);
    assert(c->type == COLUMN_DOUBLE && row < f->rows);
    c->doubles[row] = value;
    c->missing[row] = (uint8_t)(isnan(value) != 0);
}

void frame_set_int(struct frame *f, size_t at, size_t row, int64_t value) {
    struct column *c = frame_column(f, at);
    assert((c->type == COLUMN_INT || c->type == COLUMN_BOOL) && row < f->rows);
    c->ints[row] = value;
    c->missing[row] = 0;
}

enum status frame_set_text(struct frame *f, size_t at, size_t row, const char *text,
                           size_t size, struct error *err) {
    struct column *c = frame_column(f, at);
    assert(c->type == COLUMN_TEXT && row < f->rows);
    assert(row >= c->filled);
    size_t start = c->filled ? c->ends[c->filled - 1] : 0;
    if (start + size > c->bytes_capacity) {
        size_t capacity = c->bytes_capacity ? c->bytes_capacity : 256;
        while (capacity < start + size)
            capacity *= 2;
        char *bytes = realloc(c->bytes, capacity);
        if (!bytes)
            return fail(err, STATUS_NO_MEMORY, "no memory for %zu bytes of text", capacity);
        c->bytes = bytes;
        c->bytes_capacity = capacity;
    }
    if (size) memcpy(c->bytes + start, text, size);
    while (c->filled < row)
        c->ends[c->filled++] = start;  // the rows passed over have no text
    c->ends[c->filled++] = start + size;
    c->missing[row] = 0;
    return STATUS_OK;
}

void frame_clear_column(struct frame *f, size_t at) {
    struct column *c = frame_column(f, at);
    c->filled = 0;
    clear_cells(c, 0, f->rows);
}

static enum status copy_value(struct frame *f, size_t at, size_t row, const struct column *from,
                              size_t from_row, struct error *err) {
    if (column_missing(from, from_row)) return STATUS_OK;
    if (from->type == COLUMN_TEXT) {
        size_t size;
        const char *text = column_text(from, from_row, &size);
        return frame_set_text(f, at, row, text, size, err);
    }
    if (from->type == COLUMN_DOUBLE)
        frame_set_double(f, at, row, from->doubles[from_row]);
    else
        frame_set_int(f, at, row, from->ints[from_row]);
    return STATUS_OK;
}

// Fills a new frame with the columns of another and these of its rows.
static enum status copy_rows(struct frame *to, const struct frame *from, const size_t *rows,
                             size_t count, struct error *err) {
    for (size_t i = 0, at; i < from->column_count; i++)
        if (frame_add_column(to, from->columns[i].name, from->columns[i].type, &at, err) !=
            STATUS_OK)
            return STATUS_NO_MEMORY;
    if (frame_append(to, count, err) != STATUS_OK) return STATUS_NO_MEMORY;
    for (size_t at = 0; at < from->column_count; at++)
        for (size_t row = 0; row < count; row++)
            if (copy_value(to, at, row, &from->columns[at], rows[row], err) != STATUS_OK)
                return STATUS_NO_MEMORY;
    return STATUS_OK;
}

enum status frame_take(struct frame *f, const size_t *rows, size_t count, struct error *err) {
    struct frame *taken = frame_new();
    if (!taken) return fail(err, STATUS_NO_MEMORY, "no memory for a frame");
    enum status status = copy_rows(taken, f, rows, count, err);
    if (status == STATUS_OK) {
        struct frame before = *f;
        *f = *taken;
        *taken = before;
    }
    frame_free(taken);
    return status;
}

static enum status check_same_columns(const struct frame *f, const struct frame *other,
                                      struct error *err) {
    if (f->column_count != other->column_count)
        return fail(err, STATUS_INVALID, "frames of %zu and %zu columns cannot be joined",
                    f->column_count, other->column_count);
    for (size_t i = 0; i < f->column_count; i++) {
        const struct column *c = frame_find(other, f->columns[i].name);
        if (!c || c->type != f->columns[i].type)
            return fail(err, STATUS_INVALID, "frames differ in column '%s'",
                        f->columns[i].name);
    }
    return STATUS_OK;
}

enum status frame_concat(struct frame *f, const struct frame *other, struct error *err) {
    size_t first = f->rows, count = other->rows;
    if (check_same_columns(f, other, err) != STATUS_OK) return STATUS_INVALID;
    if (frame_append(f, count, err) != STATUS_OK) return STATUS_NO_MEMORY;
    for (size_t at = 0; at < f->column_count; at++) {
        const struct column *from = frame_find(other, f->columns[at].name);
        for (size_t row = 0; row < count; row++)
            if (copy_value(f, at, first + row, from, row, err) != STATUS_OK)
                return STATUS_NO_MEMORY;
    }
    return STATUS_OK;
}

bool column_missing(const struct column *c, size_t row) {
    return c->missing && c->missing[row];
}

const char *column_text(const struct column *c, size_t row, size_t *size) {
    assert(c->type == COLUMN_TEXT);
    *size = 0;
    if (column_missing(c, row)) return NULL;
    size_t start = row ? c->ends[row - 1] : 0;
    *size = c->ends[row] - start;
    return c->bytes ? c->bytes + start : "";
}
