/* store/read.c - a result of DuckDB, vector by vector, into the columns of a frame.
 *
 *     TINYINT .. BIGINT, UTINYINT .. UINTEGER         INT
 *     UBIGINT, HUGEINT, DECIMAL, FLOAT, DOUBLE        DOUBLE
 *     BOOLEAN                                         BOOL
 *     DATE, TIMESTAMP, TIMESTAMPTZ                    INT, milliseconds since 1970
 *     VARCHAR, BLOB, ENUM                             TEXT
 *     LIST of these                                   TEXT, a JSON array
 * Any other type is STATUS_INVALID: cast it in the statement. */
#include "base/bytes.h"
#include "frame/frame.h"
#include "store/internal.h"

#include <string.h>

struct reader;

// Reads cell `row` of a vector as a number or as JSON, or copies a whole vector.
struct reader {
    duckdb_vector vector;
    duckdb_type type;
    void *data;
    uint64_t *validity;  // NULL: every cell has a value
    double scale;        // DECIMAL: 10^digits
    duckdb_type stored;  // DECIMAL: the integer type that holds it
};

static bool is_valid(const struct reader *r, idx_t row) {
    return !r->validity || duckdb_validity_row_is_valid(r->validity, row);
}

static struct reader open_vector(duckdb_vector vector) {
    struct reader r = {.vector = vector,
                       .data = duckdb_vector_get_data(vector),
                       .validity = duckdb_vector_get_validity(vector),
                       .scale = 1};
    duckdb_logical_type type = duckdb_vector_get_column_type(vector);
    r.type = duckdb_get_type_id(type);
    if (r.type == DUCKDB_TYPE_DECIMAL) {
        r.stored = duckdb_decimal_internal_type(type);
        for (uint8_t i = duckdb_decimal_scale(type); i > 0; i--)
            r.scale *= 10;
    }
    duckdb_destroy_logical_type(&type);
    return r;
}

static int64_t int_at(const struct reader *r, duckdb_type type, idx_t row) {
    switch (type) {
    case DUCKDB_TYPE_BOOLEAN:
        return ((bool *)r->data)[row];
    case DUCKDB_TYPE_TINYINT:
        return ((int8_t *)r->data)[row];
    case DUCKDB_TYPE_SMALLINT:
        return ((int16_t *)r->data)[row];
    case DUCKDB_TYPE_INTEGER:
        return ((int32_t *)r->data)[row];
    case DUCKDB_TYPE_UTINYINT:
        return ((uint8_t *)r->data)[row];
    case DUCKDB_TYPE_USMALLINT:
        return ((uint16_t *)r->data)[row];
    case DUCKDB_TYPE_UINTEGER:
        return ((uint32_t *)r->data)[row];
    case DUCKDB_TYPE_DATE:
        return (int64_t)((int32_t *)r->data)[row] * 86400000;
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_TZ: {
        int64_t micros = ((int64_t *)r->data)[row];
        return micros >= 0 ? micros / 1000 : -((-micros + 999) / 1000);  // towards the past
    }
    default:
        return ((int64_t *)r->data)[row];
    }
}

static double double_at(const struct reader *r, idx_t row) {
    switch (r->type) {
    case DUCKDB_TYPE_FLOAT:
        return (double)((float *)r->data)[row];
    case DUCKDB_TYPE_UBIGINT:
        return (double)((uint64_t *)r->data)[row];
    case DUCKDB_TYPE_HUGEINT:
        return duckdb_hugeint_to_double(((duckdb_hugeint *)r->data)[row]);
    case DUCKDB_TYPE_DECIMAL:
        if (r->stored == DUCKDB_TYPE_HUGEINT)
            return duckdb_hugeint_to_double(((duckdb_hugeint *)r->data)[row]) / r->scale;
        return (double)int_at(r, r->stored, row) / r->scale;
    default:
        return ((double *)r->data)[row];
    }
}

static bool column_type_of(duckdb_type type, enum column_type *out) {
    switch (type) {
    case DUCKDB_TYPE_BOOLEAN:
        *out = COLUMN_BOOL;
        return true;
    case DUCKDB_TYPE_TINYINT:
    case DUCKDB_TYPE_SMALLINT:
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_BIGINT:
    case DUCKDB_TYPE_UTINYINT:
    case DUCKDB_TYPE_USMALLINT:
    case DUCKDB_TYPE_UINTEGER:
    case DUCKDB_TYPE_DATE:
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_TZ:
        *out = COLUMN_INT;
        return true;
    case DUCKDB_TYPE_UBIGINT:
    case DUCKDB_TYPE_HUGEINT:
    case DUCKDB_TYPE_DECIMAL:
    case DUCKDB_TYPE_FLOAT:
    case DUCKDB_TYPE_DOUBLE:
        *out = COLUMN_DOUBLE;
        return true;
    case DUCKDB_TYPE_VARCHAR:
    case DUCKDB_TYPE_BLOB:
    case DUCKDB_TYPE_LIST:
    case DUCKDB_TYPE_SQLNULL:
        *out = COLUMN_TEXT;
        return true;
    default:
        return false;
    }
}

static void append_json_list(struct bytes *out, const struct reader *list, idx_t row);

static void append_json_cell(struct bytes *out, const struct reader *r, idx_t row) {
    enum column_type type;
    if (!is_valid(r, row) || !column_type_of(r->type, &type)) {
        bytes_append_text(out, "null");
    } else if (r->type == DUCKDB_TYPE_LIST) {
        append_json_list(out, r, row);
    } else if (type == COLUMN_TEXT) {
        duckdb_string_t *cell = &((duckdb_string_t *)r->data)[row];
        bytes_append_quoted(out, duckdb_string_t_data(cell), duckdb_string_t_length(*cell));
    } else if (type == COLUMN_DOUBLE) {
        bytes_append_double(out, double_at(r, row));
    } else if (type == COLUMN_BOOL) {
        bytes_append_text(out, int_at(r, r->type, row) ? "true" : "false");
    } else {
        bytes_append_int(out, int_at(r, r->type, row));
    }
}

static void append_json_list(struct bytes *out, const struct reader *list, idx_t row) {
    duckdb_list_entry entry = ((duckdb_list_entry *)list->data)[row];
    struct reader child = open_vector(duckdb_list_vector_get_child(list->vector));
    bytes_append(out, "[", 1);
    for (uint64_t i = 0; i < entry.length; i++) {
        if (i) bytes_append(out, ",", 1);
        append_json_cell(out, &child, entry.offset + i);
    }
    bytes_append(out, "]", 1);
}

static enum status read_text(const struct reader *r, struct frame *f, size_t at, size_t first,
                             idx_t count, struct error *err) {
    struct bytes json = {0};
    enum status status = STATUS_OK;
    for (idx_t row = 0; row < count && status == STATUS_OK; row++) {
        if (!is_valid(r, row)) continue;
        if (r->type == DUCKDB_TYPE_LIST) {
            bytes_clear(&json);
            append_json_list(&json, r, row);
            status = bytes_ok(&json)
                         ? frame_set_text(f, at, first + row, json.data, json.size, err)
                         : fail(err, STATUS_NO_MEMORY, "no memory for a list");
        } else if (r->type != DUCKDB_TYPE_SQLNULL) {
            duckdb_string_t *cell = &((duckdb_string_t *)r->data)[row];
            status = frame_set_text(f, at, first + row, duckdb_string_t_data(cell),
                                    duckdb_string_t_length(*cell), err);
        }
    }
    bytes_free(&json);
    return status;
}

static void read_doubles(const struct reader *r, struct frame *f, size_t at, size_t first,
                         idx_t count) {
    for (idx_t row = 0; row < count; row++)
        if (is_valid(r, row)) frame_set_double(f, at, first + row, double_at(r, row));
}

static void read_ints(const struct reader *r, struct frame *f, size_t at, size_t first,
                      idx_t count) {
    for (idx_t row = 0; row < count; row++)
        if (is_valid(r, row)) frame_set_int(f, at, first + row, int_at(r, r->type, row));
}

static enum status read_chunk(duckdb_data_chunk chunk, struct frame *f, struct error *err) {
    idx_t count = duckdb_data_chunk_get_size(chunk);
    size_t first = frame_rows(f);
    enum status status = frame_append(f, count, err);
    for (size_t at = 0; at < frame_columns(f) && status == STATUS_OK; at++) {
        struct reader r = open_vector(duckdb_data_chunk_get_vector(chunk, at));
        switch (frame_column(f, at)->type) {
        case COLUMN_TEXT:
            status = read_text(&r, f, at, first, count, err);
            break;
        case COLUMN_DOUBLE:
            read_doubles(&r, f, at, first, count);
            break;
        case COLUMN_INT:
        case COLUMN_BOOL:
            read_ints(&r, f, at, first, count);
            break;
        }
    }
    return status;
}

static enum status add_columns(duckdb_result *result, struct frame *f, struct error *err) {
    enum status status = STATUS_OK;
    idx_t count = duckdb_column_count(result);
    for (idx_t i = 0; i < count && status == STATUS_OK; i++) {
        const char *name = duckdb_column_name(result, i);
        enum column_type type;
        size_t at;
        if (!column_type_of(duckdb_column_type(result, i), &type))
            return fail(err, STATUS_INVALID, "column '%s' has a type that frames do not hold",
                        name);
        status = frame_add_column(f, name, type, &at, err);
    }
    return status;
}

enum status read_frame(duckdb_result *result, struct frame **out, struct error *err) {
    struct frame *f = frame_new();
    if (!f) return fail(err, STATUS_NO_MEMORY, "no memory for a frame");
    enum status status = add_columns(result, f, err);
    duckdb_data_chunk chunk;
    while (status == STATUS_OK && (chunk = duckdb_fetch_chunk(*result))) {
        status = read_chunk(chunk, f, err);
        duckdb_destroy_data_chunk(&chunk);
    }
    if (status != STATUS_OK) {
        frame_free(f);
        return status;
    }
    *out = f;
    return STATUS_OK;
}
