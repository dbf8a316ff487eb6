/* store/batch.c - see batch.h. */
#include "store/batch.h"

#include <stdlib.h>
#include <string.h>

// Memory that is freed all at once: blocks, the newest first.
struct arena {
    struct arena *older;
    size_t used, size;
    char bytes[];
};

#define ARENA_BLOCK ((size_t)64 * 1024)

const char *batch_keep(struct batch *b, const char *bytes, size_t size) {
    if (!b->arena || b->arena->size - b->arena->used < size) {
        size_t block = size > ARENA_BLOCK ? size : ARENA_BLOCK;
        struct arena *a = malloc(sizeof *a + block);
        if (!a) return NULL;
        *a = (struct arena){.older = b->arena, .size = block};
        b->arena = a;
    }
    char *kept = b->arena->bytes + b->arena->used;
    b->arena->used += size;
    return memcpy(kept, bytes, size);
}

duckdb_string_t batch_text(const char *bytes, size_t size) {
    duckdb_string_t s = {0};
    s.value.inlined.length = (uint32_t)size;
    if (size <= sizeof s.value.inlined.inlined) {
        memcpy(s.value.inlined.inlined, bytes, size);
    } else {
        memcpy(s.value.pointer.prefix, bytes, sizeof s.value.pointer.prefix);
        s.value.pointer.ptr = (char *)bytes;  // DuckDB only reads it
    }
    return s;
}

struct batch *batch_new(struct mapping *mapping) {
    struct batch *b = calloc(1, sizeof *b);
    if (!b) return NULL;
    b->mapping = mapping;
    b->first_new_field = mapping->field_count;
    b->first_new_column = mapping->column_count;
    return b;
}

static void cells_free(struct cells *c) {
    free(c->values);
    free(c->present);
    free(c->starts);
    free(c->lengths);
}

void batch_free(struct batch *b) {
    if (!b) return;
    for (size_t i = 0; i < b->column_count; i++)
        cells_free(&b->columns[i]);
    while (b->arena) {
        struct arena *older = b->arena->older;
        free(b->arena);
        b->arena = older;
    }
    free(b->columns);
    free(b->ids);
    free(b->sources);
    free(b->seq_nos);
    free(b->versions);
    free(b->dead);
    mapping_free(b->mapping);
    free(b);
}

static bool resize(void *array, size_t count, size_t size) {
    void *grown = realloc(*(void **)array, count * size);
    if (grown) *(void **)array = grown;
    return grown != NULL;
}

static enum status no_memory(struct error *err) {
    fail(err, STATUS_NO_MEMORY, "no memory for a batch of documents");
    return STATUS_NO_MEMORY;
}

static size_t value_size(enum storage storage) {
    return storage == STORAGE_TEXT   ? sizeof(duckdb_string_t)
           : storage == STORAGE_BOOL ? sizeof(uint8_t)
                                     : sizeof(int64_t);
}

enum status batch_begin_row(struct batch *b, struct error *err) {
    b->field_mark = b->mapping->field_count;
    b->column_mark = b->mapping->column_count;
    if (b->rows < b->capacity) return STATUS_OK;
    size_t capacity = b->capacity ? b->capacity * 2 : 64;
    if (!resize(&b->ids, capacity, sizeof *b->ids) ||
        !resize(&b->sources, capacity, sizeof *b->sources) ||
        !resize(&b->seq_nos, capacity, sizeof *b->seq_nos) ||
        !resize(&b->versions, capacity, sizeof *b->versions) ||
        !resize(&b->dead, capacity, sizeof *b->dead))
        return no_memory(err);
    b->capacity = capacity;
    return STATUS_OK;
}

void batch_end_row(struct batch *b, duckdb_string_t id, duckdb_string_t source) {
    b->ids[b->rows] = id;
    b->sources[b->rows] = source;
    b->dead[b->rows] = 0;
    b->rows++;
}

void batch_drop_row(struct batch *b) {
    while (b->column_count > b->column_mark)
        cells_free(&b->columns[--b->column_count]);
    mapping_truncate(b->mapping, b->field_mark, b->column_mark);
    for (size_t i = 0; i < b->column_count; i++) {
        struct cells *c = &b->columns[i];
        if (!c->list && b->rows < c->capacity) c->present[b->rows] = 0;
        if (c->list && b->rows < c->row_capacity) {
            c->count -= c->lengths[b->rows];
            c->lengths[b->rows] = 0;
        }
    }
}

// The cells of a column, made when its first value comes.
static struct cells *cells_at(struct batch *b, size_t column) {
    while (b->column_count < b->mapping->column_count) {
        if (!resize(&b->columns, b->mapping->column_count, sizeof *b->columns)) return NULL;
        const struct mapping_column *c = &b->mapping->columns[b->column_count];
        b->columns[b->column_count++] =
            (struct cells){.storage = field_storage(c->field->type), .list = c->list};
    }
    return &b->columns[column];
}

// Room for the current row, as "no value".
static bool reserve_row(struct batch *b, struct cells *c) {
    if (b->rows < c->capacity) return true;
    if (!resize(&c->values, b->capacity, value_size(c->storage)) ||
        !resize(&c->present, b->capacity, 1))
        return false;
    memset(c->present + c->capacity, 0, b->capacity - c->capacity);
    c->capacity = b->capacity;
    return true;
}

static bool reserve_list(struct batch *b, struct cells *c) {
    if (b->rows >= c->row_capacity) {
        if (!resize(&c->starts, b->capacity, sizeof *c->starts) ||
            !resize(&c->lengths, b->capacity, sizeof *c->lengths))
            return false;
        memset(c->lengths + c->row_capacity, 0,
               (b->capacity - c->row_capacity) * sizeof *c->lengths);
        c->row_capacity = b->capacity;
    }
    if (c->count < c->capacity) return true;
    size_t capacity = c->capacity ? c->capacity * 2 : 64;
    if (!resize(&c->values, capacity, value_size(c->storage))) return false;
    c->capacity = capacity;
    return true;
}

static bool push_element(struct batch *b, struct cells *c, const void *value) {
    if (!reserve_list(b, c)) return false;
    if (c->lengths[b->rows] == 0) c->starts[b->rows] = c->count;
    size_t size = value_size(c->storage);
    memcpy((char *)c->values + c->count * size, value, size);
    c->count++;
    c->lengths[b->rows]++;
    return true;
}

// A second value: the list gets the first one too.
static enum status add_to_list(struct batch *b, struct field *f, const void *value,
                               struct error *err) {
    if (f->list == NO_COLUMN && mapping_add_list(b->mapping, f, err) != STATUS_OK)
        return STATUS_NO_MEMORY;
    struct cells *list = cells_at(b, f->list);
    if (!list) return no_memory(err);
    const struct cells *first = &b->columns[f->column];
    bool started = b->rows < list->row_capacity && list->lengths[b->rows];
    const char *first_value =
        (const char *)first->values + b->rows * value_size(first->storage);
    if (!started && !push_element(b, list, first_value)) return no_memory(err);
    return push_element(b, list, value) ? STATUS_OK : no_memory(err);
}

static inline enum status add(struct batch *b, struct field *f, const void *value, size_t size,
                              struct error *err) {
    struct cells *c = cells_at(b, f->column);
    if (!c || !reserve_row(b, c)) return no_memory(err);
    if (c->present[b->rows]) return add_to_list(b, f, value, err);
    c->present[b->rows] = 1;
    memcpy((char *)c->values + b->rows * size, value, size);
    return STATUS_OK;
}

enum status batch_add_int(struct batch *b, struct field *f, int64_t value, struct error *err) {
    return add(b, f, &value, sizeof value, err);
}

enum status batch_add_double(struct batch *b, struct field *f, double value,
                             struct error *err) {
    return add(b, f, &value, sizeof value, err);
}

enum status batch_add_bool(struct batch *b, struct field *f, bool value, struct error *err) {
    uint8_t byte = value;
    return add(b, f, &byte, sizeof byte, err);
}

enum status batch_add_text(struct batch *b, struct field *f, duckdb_string_t value,
                           struct error *err) {
    return add(b, f, &value, sizeof value, err);
}
