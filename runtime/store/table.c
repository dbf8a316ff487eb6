/* store/table.c - see table.h: the registry of indices. */
#include "store/table.h"

#include "base/bytes.h"
#include "frame/frame.h"
#include "store/internal.h"
#include "store/table_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct table *table_retain(struct table *t) {
    __atomic_add_fetch(&t->references, 1, __ATOMIC_RELAXED);
    return t;
}

void table_release(struct table *t) {
    if (!t || __atomic_sub_fetch(&t->references, 1, __ATOMIC_ACQ_REL) > 0) return;
    pthread_mutex_destroy(&t->writer);
    mapping_free(t->mapping);
    id_map_free(t->ids);
    free(t->name);
    free(t->uuid);
    free(t->settings);
    free(t->aliases);
    free(t);
}

// The value of a whole-number setting, which the registry keeps as "name":"value".
static size_t setting(const char *settings, const char *name, size_t missing) {
    char key[64];
    snprintf(key, sizeof key, "\"%s\":\"", name);
    const char *at = strstr(settings, key);
    return at ? strtoul(at + strlen(key), NULL, 10) : missing;
}

void table_set_limits(struct mapping *m, const char *settings) {
    m->field_limit = setting(settings, "index.mapping.total_fields.limit", 1000);
    m->depth_limit = setting(settings, "index.mapping.depth.limit", 20);
}

static struct table *table_new(const struct table_info *info, struct mapping *mapping) {
    struct table *t = calloc(1, sizeof *t);
    if (!t) return NULL;
    pthread_mutex_init(&t->writer, NULL);
    t->references = 1;
    t->name = strdup(info->name);
    t->uuid = strdup(info->uuid);
    t->settings = strdup(info->settings);
    t->aliases = strdup(info->aliases);
    t->created_ms = info->created_ms;
    t->next_seq_no = -1;
    t->mapping_version = 1;
    if (!t->name || !t->uuid || !t->settings || !t->aliases) {
        table_release(t);
        return NULL;
    }
    t->mapping = mapping;
    table_set_limits(mapping, info->settings);
    return t;
}

const char *table_name(const struct table *t) { return t->name; }
const char *table_uuid(const struct table *t) { return t->uuid; }

// --- the registry -------------------------------------------------------------------------

// Position of a name, or where it would be; the caller holds the lock.
static size_t position(const struct table_registry *r, const char *name, size_t size,
                       bool *found) {
    size_t low = 0, high = r->count;
    *found = false;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const char *other = r->tables[middle]->name;
        int order = strncmp(other, name, size);
        if (order == 0 && other[size] != '\0') order = 1;
        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct table *table_find(struct store *s, const char *name, size_t size) {
    struct table_registry *r = s->tables;
    bool found;
    if (memchr(name, '\0', size)) return NULL;
    pthread_mutex_lock(&r->lock);
    size_t at = position(r, name, size, &found);
    struct table *t = found ? table_retain(r->tables[at]) : NULL;
    pthread_mutex_unlock(&r->lock);
    return t;
}

// Adds a table; the registry takes the reference over.
static enum status registry_add(struct table_registry *r, struct table *t, struct error *err) {
    bool found;
    enum status status = STATUS_OK;
    pthread_mutex_lock(&r->lock);
    size_t at = position(r, t->name, strlen(t->name), &found);
    if (r->count == r->capacity) {
        size_t capacity = r->capacity ? r->capacity * 2 : 16;
        struct table **tables = realloc(r->tables, capacity * sizeof(struct table *));
        if (tables) {
            r->tables = tables;
            r->capacity = capacity;
        } else {
            status = fail(err, STATUS_NO_MEMORY, "no memory for an index");
        }
    }
    if (status == STATUS_OK) {
        memmove(&r->tables[at + 1], &r->tables[at], (r->count - at) * sizeof(struct table *));
        r->tables[at] = t;
        r->count++;
        r->version++;
    }
    pthread_mutex_unlock(&r->lock);
    return status;
}

static void registry_remove(struct table_registry *r, struct table *t) {
    bool found;
    pthread_mutex_lock(&r->lock);
    size_t at = position(r, t->name, strlen(t->name), &found);
    if (found) {
        r->count--;
        memmove(&r->tables[at], &r->tables[at + 1], (r->count - at) * sizeof(struct table *));
        r->version++;
    }
    pthread_mutex_unlock(&r->lock);
    if (found) table_release(t);
}

uint64_t tables_version(struct store *s) {
    pthread_mutex_lock(&s->tables->lock);
    uint64_t version = s->tables->version;
    pthread_mutex_unlock(&s->tables->lock);
    return version;
}

void tables_each(struct store *s, const char *name,
                 bool (*use)(void *context, const struct table_info *info), void *context) {
    struct table_registry *r = s->tables;
    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i < r->count; i++) {
        const struct table *t = r->tables[i];
        if (name && strcmp(name, t->name) != 0) continue;
        const struct table_info info = {t->name, t->uuid, t->settings, t->aliases,
                                        t->created_ms};
        if (!use(context, &info)) break;
    }
    pthread_mutex_unlock(&r->lock);
}

struct mapping *table_mapping(struct table *t, uint64_t *version) {
    pthread_mutex_lock(&t->registry->lock);
    struct mapping *copy = mapping_copy(t->mapping);
    *version = t->mapping_version;
    pthread_mutex_unlock(&t->registry->lock);
    return copy;
}

// --- loading ------------------------------------------------------------------------------

static const char schema[] =
    "CREATE SCHEMA IF NOT EXISTS blip;"
    "CREATE TABLE IF NOT EXISTS blip.indices(name VARCHAR, uuid VARCHAR, created_ms BIGINT,"
    " settings VARCHAR, aliases VARCHAR, mapping VARCHAR, columns VARCHAR,"
    " next_seq_no BIGINT);"
    "CREATE TABLE IF NOT EXISTS blip.snapshots(detector VARCHAR, entity VARCHAR,"
    " position_ms BIGINT, bytes BLOB);";

// A cell as JSON that json_read_object() may read: zero-terminated, padding behind it.
static char *cell_text(const struct frame *f, size_t at, size_t row, size_t *size) {
    const char *text = column_text(frame_column_const(f, at), row, size);
    char *copy = calloc(1, *size + JSON_PADDING);
    if (copy && text) memcpy(copy, text, *size);
    return copy;
}

static enum status load_mapping(const char *mapping, size_t mapping_size, const char *columns,
                                size_t columns_size, struct mapping **out, struct error *err) {
    struct json_reader *reader = json_reader_new();
    if (!reader) return fail(err, STATUS_NO_MEMORY, "no memory to read a mapping");
    enum status status = mapping_parse(reader, mapping, mapping_size, NULL, out, err);
    if (status == STATUS_OK) {
        status = mapping_read_columns(reader, *out, columns, columns_size, err);
        if (status != STATUS_OK) mapping_free(*out);
    }
    json_reader_free(reader);
    return status;
}

// Makes the table of an index known; takes the mapping over.
static enum status register_table(struct store *s, const struct table_info *info,
                                  struct mapping *mapping, int64_t least_seq_no,
                                  struct error *err) {
    struct table *t = table_new(info, mapping);
    if (!t) {
        mapping_free(mapping);
        return fail(err, STATUS_NO_MEMORY, "no memory for an index");
    }
    t->registry = s->tables;
    t->least_seq_no = least_seq_no;
    enum status status = registry_add(s->tables, t, err);
    if (status != STATUS_OK) table_release(t);
    return status;
}

static enum status load_table(struct store *s, const struct frame *f, size_t row,
                              struct error *err) {
    char *texts[6];
    size_t sizes[6];
    struct mapping *mapping = NULL;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < 6; i++) {
        texts[i] = cell_text(f, i, row, &sizes[i]);
        if (!texts[i]) status = fail(err, STATUS_NO_MEMORY, "no memory to load an index");
    }
    if (status == STATUS_OK)
        status = load_mapping(texts[4], sizes[4], texts[5], sizes[5], &mapping, err);
    if (status == STATUS_OK) {
        const struct table_info info = {texts[0], texts[1], texts[2], texts[3],
                                        frame_column_const(f, 6)->ints[row]};
        status = register_table(s, &info, mapping, frame_column_const(f, 7)->ints[row], err);
    }
    for (size_t i = 0; i < 6; i++)
        free(texts[i]);
    return status;
}

enum status tables_open(struct connection *c, struct error *err) {
    struct table_registry *r = calloc(1, sizeof *r);
    if (!r) return fail(err, STATUS_NO_MEMORY, "no memory to open the store");
    pthread_mutex_init(&r->lock, NULL);
    pthread_mutex_init(&r->creating, NULL);
    c->store->tables = r;
    struct frame *f;
    enum status status = run_sql(c, schema, err);
    if (status == STATUS_OK)
        status = connection_query(c,
                                  "SELECT name, uuid, settings, aliases, mapping, columns, "
                                  "created_ms, next_seq_no FROM blip.indices",
                                  NULL, 0, &f, err);
    if (status != STATUS_OK) return status;
    for (size_t row = 0; row < frame_rows(f) && status == STATUS_OK; row++)
        status = load_table(c->store, f, row, err);
    frame_free(f);
    return status;
}

void tables_close(struct store *s) {
    struct table_registry *r = s->tables;
    if (!r) return;
    for (size_t i = 0; i < r->count; i++)
        table_release(r->tables[i]);
    pthread_mutex_destroy(&r->lock);
    pthread_mutex_destroy(&r->creating);
    free(r->tables);
    free(r);
    s->tables = NULL;
}

// --- creating and deleting ----------------------------------------------------------------

void append_identifier(struct bytes *sql, const char *name) {
    bytes_append_char(sql, '"');
    for (; *name; name++) {
        if (*name == '"') bytes_append_char(sql, '"');
        bytes_append_char(sql, *name);
    }
    bytes_append_char(sql, '"');
}

void append_column_definition(struct bytes *sql, const struct mapping_column *c) {
    static const char *const sql_types[] = {
        [STORAGE_INT] = "BIGINT",     [STORAGE_DOUBLE] = "DOUBLE", [STORAGE_BOOL] = "BOOLEAN",
        [STORAGE_TIME] = "TIMESTAMP", [STORAGE_TEXT] = "VARCHAR",
    };
    append_identifier(sql, c->name);
    bytes_append_char(sql, ' ');
    bytes_append_text(sql, sql_types[field_storage(c->field->type)]);
    if (c->list) bytes_append_text(sql, "[]");
}

// _source is most of the bytes: zstd is both the smallest and the cheapest here, because DuckDB
// then need not try every method it knows on each block.
static enum status create_table(struct connection *c, const char *name, const struct mapping *m,
                                struct error *err) {
    struct bytes sql = {0};
    bytes_append_text(&sql, "CREATE TABLE main.");
    append_identifier(&sql, name);
    bytes_append_text(&sql, "(_id VARCHAR, _seq_no BIGINT, _version BIGINT, "
                            "_source VARCHAR USING COMPRESSION zstd");
    for (size_t i = 0; i < m->column_count; i++) {
        bytes_append_char(&sql, ',');
        append_column_definition(&sql, &m->columns[i]);
    }
    bytes_append(&sql, ")", 2);
    enum status status = bytes_ok(&sql) ? run_sql(c, sql.data, err)
                                        : fail(err, STATUS_NO_MEMORY, "no memory for a table");
    bytes_free(&sql);
    return status;
}

static struct param text_param(const char *text) {
    return (struct param){.type = PARAM_TEXT, .text = {text, strlen(text)}};
}

static enum status insert_registration(struct connection *c, const struct table_info *info,
                                       const struct mapping *m, struct error *err) {
    struct bytes mapping = {0}, columns = {0};
    mapping_write(m, &mapping);
    mapping_write_columns(m, &columns);
    bytes_append_char(&mapping, '\0');
    bytes_append_char(&columns, '\0');
    enum status status = fail(err, STATUS_NO_MEMORY, "no memory for a mapping");
    if (bytes_ok(&mapping) && bytes_ok(&columns)) {
        const struct param params[] = {
            text_param(info->name),
            text_param(info->uuid),
            {.type = PARAM_INT, .integer = info->created_ms},
            text_param(info->settings),
            text_param(info->aliases),
            text_param(mapping.data),
            text_param(columns.data),
        };
        status =
            connection_execute(c, "INSERT INTO blip.indices VALUES (?, ?, ?, ?, ?, ?, ?, 0)",
                               params, sizeof params / sizeof *params, NULL, err);
    }
    bytes_free(&mapping);
    bytes_free(&columns);
    return status;
}

static enum status create_both(struct connection *c, const struct table_info *info,
                               const struct mapping *m, struct error *err) {
    enum status status = connection_begin(c, err);
    if (status == STATUS_OK) status = create_table(c, info->name, m, err);
    if (status == STATUS_OK) status = insert_registration(c, info, m, err);
    if (status == STATUS_OK) return connection_commit(c, err);
    connection_rollback(c);
    return status;
}

enum status table_parse_mapping(const char *text, const struct mapping *before,
                                struct mapping **out, struct error *err) {
    size_t size = strlen(text);
    struct json_reader *reader = json_reader_new();
    char *padded = calloc(1, size + JSON_PADDING);
    enum status status = STATUS_NO_MEMORY;
    if (reader && padded) {
        memcpy(padded, text, size + 1);
        status = mapping_parse(reader, padded, size, before, out, err);
    } else {
        fail(err, status, "no memory to read a mapping");
    }
    free(padded);
    json_reader_free(reader);
    return status;
}

enum status table_create(struct connection *c, const struct table_info *info,
                         const char *mapping, struct error *err) {
    struct store *s = c->store;
    struct mapping *m = NULL;
    enum status status = table_parse_mapping(mapping, NULL, &m, err);
    if (status != STATUS_OK) return status;

    pthread_mutex_lock(&s->tables->creating);
    struct table *t = table_find(s, info->name, strlen(info->name));
    if (t) {
        status = fail(err, STATUS_CONFLICT, "index [%s/%s] already exists", t->name, t->uuid);
        table_release(t);
        mapping_free(m);
    } else {
        status = create_both(c, info, m, err);
        if (status == STATUS_OK)
            status = register_table(s, info, m, 0, err);
        else
            mapping_free(m);
    }
    pthread_mutex_unlock(&s->tables->creating);
    return status;
}

static enum status drop_both(struct connection *c, const char *name, struct error *err) {
    struct bytes sql = {0};
    bytes_append_text(&sql, "DROP TABLE main.");
    append_identifier(&sql, name);
    bytes_append_char(&sql, '\0');
    enum status status =
        bytes_ok(&sql) ? run_sql(c, sql.data, err) : fail(err, STATUS_NO_MEMORY, "no memory");
    bytes_free(&sql);
    const struct param params[] = {text_param(name)};
    if (status == STATUS_OK)
        status = connection_execute(c, "DELETE FROM blip.indices WHERE name = ?", params, 1,
                                    NULL, err);
    return status;
}

enum status table_drop(struct connection *c, const char *name, struct error *err) {
    struct table *t = table_find(c->store, name, strlen(name));
    if (!t) return fail(err, STATUS_NOT_FOUND, "no such index [%s]", name);
    struct table_write *w;
    enum status status = connection_begin(c, err);
    if (status == STATUS_OK) {
        status = table_write_begin(c, t, &w, err);
        if (status == STATUS_OK) status = drop_both(c, name, err);
        if (status == STATUS_OK) {
            t->dropped = true;
            status = connection_commit(c, err);
            if (status != STATUS_OK) t->dropped = false;
        } else {
            connection_rollback(c);
        }
    }
    if (status == STATUS_OK) registry_remove(c->store->tables, t);
    table_release(t);  // NOLINT(clang-analyzer-unix.Malloc): the registry had one of its own
    return status;
}
