/* store/append.c - see append.h.
 * Values go over as vectors of up to 2,048 rows. Texts are not copied here: the vector's cells
 * point to where the batch's texts are, and DuckDB copies them once, into the table. */
#include "store/append.h"

#include "store/internal.h"

#include <stdlib.h>
#include <string.h>

#define FIXED_COLUMNS 4  // _id, _seq_no, _version, _source

struct appender {
    const struct batch *batch;
    duckdb_appender duckdb;
    duckdb_data_chunk chunk;
    duckdb_logical_type *types;
    size_t column_count;  // with the fixed ones
    const size_t *rows;   // of the batch, one for each row of the chunk
    size_t count;         // rows of the chunk
};

static duckdb_type sql_type(enum storage storage) {
    switch (storage) {
    case STORAGE_INT:
        return DUCKDB_TYPE_BIGINT;
    case STORAGE_DOUBLE:
        return DUCKDB_TYPE_DOUBLE;
    case STORAGE_BOOL:
        return DUCKDB_TYPE_BOOLEAN;
    case STORAGE_TIME:
        return DUCKDB_TYPE_TIMESTAMP;
    default:
        return DUCKDB_TYPE_VARCHAR;
    }
}

static duckdb_logical_type column_type(const struct mapping_column *c) {
    duckdb_logical_type type =
        duckdb_create_logical_type(sql_type(field_storage(c->field->type)));
    if (!c->list) return type;
    duckdb_logical_type list = duckdb_create_list_type(type);
    duckdb_destroy_logical_type(&type);
    return list;
}

static bool make_chunk(struct appender *a) {
    static const duckdb_type fixed[FIXED_COLUMNS] = {DUCKDB_TYPE_VARCHAR, DUCKDB_TYPE_BIGINT,
                                                     DUCKDB_TYPE_BIGINT, DUCKDB_TYPE_VARCHAR};
    const struct mapping *m = a->batch->mapping;
    a->types = calloc(FIXED_COLUMNS + m->column_count, sizeof *a->types);
    if (!a->types) return false;
    for (size_t i = 0; i < FIXED_COLUMNS; i++)
        a->types[a->column_count++] = duckdb_create_logical_type(fixed[i]);
    for (size_t i = 0; i < m->column_count; i++)
        a->types[a->column_count++] = column_type(&m->columns[i]);
    a->chunk = duckdb_create_data_chunk(a->types, a->column_count);
    return a->chunk != NULL;
}

static void free_chunk(struct appender *a) {
    duckdb_destroy_data_chunk(&a->chunk);
    for (size_t i = 0; i < a->column_count; i++)
        duckdb_destroy_logical_type(&a->types[i]);
    free(a->types);
}

// Copies cells of one size; where all rows follow each other, at once.
static void copy_cells(const struct appender *a, void *to, const void *from, size_t size) {
    if (a->rows[a->count - 1] - a->rows[0] == a->count - 1) {
        memcpy(to, (const char *)from + a->rows[0] * size, a->count * size);
        return;
    }
    for (size_t i = 0; i < a->count; i++)
        memcpy((char *)to + i * size, (const char *)from + a->rows[i] * size, size);
}

static void fill_fixed(const struct appender *a) {
    const struct batch *b = a->batch;
    const void *columns[FIXED_COLUMNS] = {b->ids, b->seq_nos, b->versions, b->sources};
    const size_t sizes[FIXED_COLUMNS] = {sizeof *b->ids, sizeof *b->seq_nos,
                                         sizeof *b->versions, sizeof *b->sources};
    for (size_t i = 0; i < FIXED_COLUMNS; i++)
        copy_cells(a, duckdb_vector_get_data(duckdb_data_chunk_get_vector(a->chunk, i)),
                   columns[i], sizes[i]);
}

static void set_missing(duckdb_vector vector, size_t row) {
    duckdb_vector_ensure_validity_writable(vector);
    duckdb_validity_set_row_invalid(duckdb_vector_get_validity(vector), row);
}

// Every value, also of rows that have none: those are marked behind it.
static void fill_scalar(const struct appender *a, duckdb_vector vector, const struct cells *c) {
    static const size_t sizes[] = {[STORAGE_INT] = sizeof(int64_t),
                                   [STORAGE_DOUBLE] = sizeof(double),
                                   [STORAGE_BOOL] = sizeof(uint8_t),
                                   [STORAGE_TIME] = sizeof(int64_t),
                                   [STORAGE_TEXT] = sizeof(duckdb_string_t)};
    char *to = duckdb_vector_get_data(vector);
    size_t size = sizes[c->storage];
    for (size_t i = 0; i < a->count; i++) {
        size_t row = a->rows[i];
        if (row < c->capacity && c->present[row])
            memcpy(to + i * size, (const char *)c->values + row * size, size);
        else
            set_missing(vector, i);
    }
}

static void fill_all_missing(const struct appender *a, duckdb_vector vector) {
    duckdb_vector_ensure_validity_writable(vector);
    uint64_t *validity = duckdb_vector_get_validity(vector);
    memset(validity, 0, (a->count + 63) / 64 * sizeof *validity);
}

static void fill_list(const struct appender *a, duckdb_vector vector, const struct cells *c) {
    duckdb_list_entry *entries = duckdb_vector_get_data(vector);
    size_t total = 0;
    for (size_t i = 0; i < a->count; i++) {
        size_t row = a->rows[i];
        size_t length = row < c->row_capacity ? c->lengths[row] : 0;
        entries[i] = (duckdb_list_entry){.offset = total, .length = length};
        if (length == 0) set_missing(vector, i);
        total += length;
    }
    duckdb_list_vector_reserve(vector, total);
    duckdb_list_vector_set_size(vector, total);
    char *to = duckdb_vector_get_data(duckdb_list_vector_get_child(vector));
    size_t size = c->storage == STORAGE_TEXT   ? sizeof(duckdb_string_t)
                  : c->storage == STORAGE_BOOL ? sizeof(uint8_t)
                                               : sizeof(int64_t);
    for (size_t i = 0; i < a->count; i++)
        if (entries[i].length)
            memcpy(to + entries[i].offset * size,
                   (const char *)c->values + c->starts[a->rows[i]] * size,
                   entries[i].length * size);
}

// An appender has no type for its error. One that was interrupted says so at the end.
static enum status refused(duckdb_appender appender, struct error *err) {
    const char *reason = duckdb_appender_error(appender);
    bool interrupted = reason && strstr(reason, "Interrupted!");
    return fail(err, interrupted ? STATUS_CANCELLED : STATUS_FAILED, "%s",
                reason ? reason : "rows cannot be appended");
}

static enum status append_chunk(struct appender *a, struct error *err) {
    const struct batch *b = a->batch;
    duckdb_data_chunk_reset(a->chunk);
    fill_fixed(a);
    for (size_t i = 0; i < b->mapping->column_count; i++) {
        duckdb_vector vector = duckdb_data_chunk_get_vector(a->chunk, FIXED_COLUMNS + i);
        const struct cells *c = i < b->column_count ? &b->columns[i] : NULL;
        if (!c || !c->values)
            fill_all_missing(a, vector);
        else if (c->list)
            fill_list(a, vector, c);
        else
            fill_scalar(a, vector, c);
    }
    duckdb_data_chunk_set_size(a->chunk, a->count);
    if (duckdb_append_data_chunk(a->duckdb, a->chunk) == DuckDBSuccess) return STATUS_OK;
    return refused(a->duckdb, err);
}

static enum status append_rows(struct appender *a, struct error *err) {
    size_t most = duckdb_vector_size(), count = 0;
    size_t *rows = malloc(most * sizeof *rows);
    if (!rows) return fail(err, STATUS_NO_MEMORY, "no memory to append");
    a->rows = rows;
    enum status status = STATUS_OK;
    for (size_t row = 0; row < a->batch->rows && status == STATUS_OK; row++) {
        if (!a->batch->dead[row]) rows[count++] = row;
        if (count < most && row + 1 < a->batch->rows) continue;
        a->count = count;
        if (count) status = append_chunk(a, err);
        count = 0;
    }
    free(rows);
    return status;
}

enum status append_batch(struct connection *c, const char *table, const struct batch *b,
                         struct error *err) {
    struct appender a = {.batch = b};
    if (b->rows == 0) return STATUS_OK;
    enum status status = STATUS_OK;
    if (duckdb_appender_create(c->duckdb, "main", table, &a.duckdb) != DuckDBSuccess)
        status = refused(a.duckdb, err);
    if (status == STATUS_OK && !make_chunk(&a))
        status = fail(err, STATUS_NO_MEMORY, "no memory to append");
    if (status == STATUS_OK) status = append_rows(&a, err);
    if (status == STATUS_OK && duckdb_appender_flush(a.duckdb) != DuckDBSuccess)
        status = refused(a.duckdb, err);
    duckdb_appender_destroy(&a.duckdb);
    free_chunk(&a);
    return status;
}
