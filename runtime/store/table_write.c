/* store/table_write.c - see table.h: what a transaction holds of the tables it writes to. */
#include "base/bytes.h"
#include "store/internal.h"
#include "store/table_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LOCK_SECONDS 30

static enum status lock_writer(struct table *t, struct error *err) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += LOCK_SECONDS;
    if (pthread_mutex_timedlock(&t->writer, &until) != 0)
        return fail(err, STATUS_BUSY, "the index [%s] is being written to for more than %d s",
                    t->name, LOCK_SECONDS);
    if (!t->dropped) return STATUS_OK;
    pthread_mutex_unlock(&t->writer);
    return fail(err, STATUS_NOT_FOUND, "no such index [%s]", t->name);
}

static void swap_texts(char **a, char **b) {
    char *kept = *a;
    *a = *b;
    *b = kept;
}

// What was published before is freed with the hold.
static void publish(struct table_write *w) {
    struct table *t = w->table;
    if (!w->mapping_changed && !w->settings && !w->aliases) return;
    pthread_mutex_lock(&t->registry->lock);
    if (w->settings) swap_texts(&t->settings, &w->settings);
    if (w->aliases) swap_texts(&t->aliases, &w->aliases);
    if (w->mapping_changed) {
        struct mapping *old = t->mapping;
        t->mapping = w->mapping;
        w->mapping = old;
    }
    table_set_limits(t->mapping, t->settings);
    t->mapping_version++;
    t->registry->version++;
    pthread_mutex_unlock(&t->registry->lock);
}

// Ends a hold: publishes what the transaction changed, or takes it back.
static void write_end(struct table_write *w, bool committed) {
    struct table *t = w->table;
    if (committed && w->begun) {
        t->next_seq_no = w->next_seq_no;
        publish(w);
    } else if (w->ids_loaded) {
        id_map_free(t->ids);
        t->ids = NULL;
    } else {
        while (w->undo_count > 0) {
            struct id_entry e = w->undo[--w->undo_count];
            if (e.version)
                id_map_put(t->ids, e);  // its place is there already
            else
                id_map_remove(t->ids, e.hash);
        }
    }
    pthread_mutex_unlock(&t->writer);
    mapping_free(w->mapping);
    table_release(t);
    free(w->settings);
    free(w->aliases);
    free(w->undo);
    free(w);
}

void table_writes_end(struct connection *c, bool committed) {
    while (c->writes) {
        struct table_write *w = c->writes;
        c->writes = w->next;
        write_end(w, committed);
    }
}

// The number behind the highest that a row or the registry knows.
static enum status load_next_seq_no(struct connection *c, struct table *t, struct error *err) {
    struct bytes sql = {0};
    bytes_append_text(&sql, "SELECT coalesce(max(_seq_no) + 1, 0) FROM main.");
    append_identifier(&sql, t->name);
    bytes_append_char(&sql, '\0');
    duckdb_result result = {0};
    enum status status = bytes_ok(&sql) ? run_statement(c, sql.data, NULL, 0, &result, err)
                                        : fail(err, STATUS_NO_MEMORY, "no memory");
    bytes_free(&sql);
    if (status != STATUS_OK) return status;
    duckdb_data_chunk chunk = duckdb_fetch_chunk(result);
    int64_t *value = duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 0));
    t->next_seq_no = *value > t->least_seq_no ? *value : t->least_seq_no;
    duckdb_destroy_data_chunk(&chunk);
    duckdb_destroy_result(&result);
    return STATUS_OK;
}

static struct table_write *find_write(struct connection *c, const struct table *t) {
    for (struct table_write *w = c->writes; w; w = w->next)
        if (w->table == t) return w;
    return NULL;
}

// The connection's hold on a table, taken when it has none yet.
static enum status hold(struct connection *c, struct table *t, struct table_write **out,
                        struct error *err) {
    struct table_write *w = find_write(c, t);
    *out = w;
    if (w) return STATUS_OK;
    *out = w = calloc(1, sizeof *w);
    if (!w) {
        fail(err, STATUS_NO_MEMORY, "no memory to write");
        return STATUS_NO_MEMORY;
    }
    enum status status = lock_writer(t, err);
    if (status != STATUS_OK) {
        free(w);
        return status;
    }
    w->table = table_retain(t);
    w->sees_newest = !c->in_transaction;
    w->next = c->writes;
    c->writes = w;  // from here on table_writes_end() frees it
    return STATUS_OK;
}

enum status table_write_lock(struct connection *c, struct table *t, struct error *err) {
    struct table_write *w;
    return hold(c, t, &w, err);
}

enum status table_write_begin(struct connection *c, struct table *t, struct table_write **out,
                              struct error *err) {
    enum status status = hold(c, t, out, err);
    if (status != STATUS_OK) return status;
    struct table_write *w = *out;
    if (w->begun) return STATUS_OK;
    if (t->next_seq_no < 0) status = load_next_seq_no(c, t, err);
    w->next_seq_no = t->next_seq_no;
    w->ids = t->ids;
    w->mapping = table_mapping(t, &w->mapping_version);
    if (!w->mapping) status = fail(err, STATUS_NO_MEMORY, "no memory to write");
    w->begun = status == STATUS_OK;
    return status;
}

// Adds the ids of one chunk: _id, _seq_no, _version. Over others, the newest counts.
static bool add_ids(struct id_map *ids, duckdb_data_chunk chunk, bool over_others) {
    duckdb_string_t *id = duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 0));
    int64_t *seq_no = duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 1));
    int64_t *version = duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 2));
    idx_t count = duckdb_data_chunk_get_size(chunk);
    for (idx_t i = 0; i < count; i++) {
        struct id_entry e = {.hash = id_map_hash(ids, duckdb_string_t_data(&id[i]),
                                                 duckdb_string_t_length(id[i])),
                             .seq_no = seq_no[i],
                             .version = (uint64_t)version[i] & ID_VERSION_MASK};
        if (over_others) {
            const struct id_entry *known = id_map_get(ids, e.hash);
            if (known && known->seq_no >= e.seq_no) continue;
        }
        if (!id_map_put(ids, e)) return false;
    }
    return true;
}

static enum status load_ids(struct connection *c, struct table *t, struct id_map *ids,
                            bool over_others, struct error *err) {
    struct bytes sql = {0};
    bytes_append_text(&sql, "SELECT _id, _seq_no, _version FROM main.");
    append_identifier(&sql, t->name);
    bytes_append_char(&sql, '\0');
    duckdb_result result = {0};
    enum status status = bytes_ok(&sql) ? run_statement(c, sql.data, NULL, 0, &result, err)
                                        : fail(err, STATUS_NO_MEMORY, "no memory");
    bytes_free(&sql);
    if (status != STATUS_OK) return status;
    duckdb_data_chunk chunk;
    while (status == STATUS_OK && (chunk = duckdb_fetch_chunk(result))) {
        if (!add_ids(ids, chunk, over_others))
            status = fail(err, STATUS_NO_MEMORY, "no memory for ids");
        duckdb_destroy_data_chunk(&chunk);
    }
    duckdb_destroy_result(&result);
    return status;
}

// A transaction that began before it had the lock may not see the newest rows: these are read
// by another connection, which in turn does not see the transaction's own.
static enum status load_newest_ids(struct connection *c, const struct table_write *w,
                                   struct id_map *ids, struct error *err) {
    struct connection *other;
    if (w->sees_newest) return STATUS_OK;
    enum status status = connection_open(c->store, &other, err);
    if (status != STATUS_OK) return status;
    status = load_ids(other, w->table, ids, true, err);
    connection_close(other);
    return status;
}

// Rows that this transaction has appended are among those that are read; their entries would
// stay when it is rolled back, so the map that it loaded is thrown away then.
enum status table_write_need_ids(struct connection *c, struct table_write *w,
                                 struct error *err) {
    if (w->ids) return STATUS_OK;
    struct id_map *ids = id_map_new();
    if (!ids) return fail(err, STATUS_NO_MEMORY, "no memory for ids");
    enum status status = load_ids(c, w->table, ids, false, err);
    if (status == STATUS_OK) status = load_newest_ids(c, w, ids, err);
    if (status != STATUS_OK) {
        id_map_free(ids);
        return status;
    }
    w->ids = w->table->ids = ids;
    w->ids_loaded = true;
    return STATUS_OK;
}

enum status table_write_put_id(struct table_write *w, struct id_entry entry,
                               struct error *err) {
    if (w->undo_count == w->undo_capacity) {
        size_t capacity = w->undo_capacity ? w->undo_capacity * 2 : 64;
        struct id_entry *undo = realloc(w->undo, capacity * sizeof *undo);
        if (!undo) return fail(err, STATUS_NO_MEMORY, "no memory for ids");
        w->undo = undo;
        w->undo_capacity = capacity;
    }
    const struct id_entry *was = id_map_get(w->ids, entry.hash);
    w->undo[w->undo_count] = was ? *was : (struct id_entry){.hash = entry.hash};
    if (!id_map_put(w->ids, entry)) return fail(err, STATUS_NO_MEMORY, "no memory for ids");
    w->undo_count++;
    return STATUS_OK;
}

// --- changing the table -------------------------------------------------------------------

static enum status add_columns(struct connection *c, const struct table_write *w,
                               const struct mapping *mapping, struct error *err) {
    enum status status = STATUS_OK;
    struct bytes sql = {0};
    for (size_t i = w->mapping->column_count; i < mapping->column_count; i++) {
        bytes_clear(&sql);
        bytes_append_text(&sql, "ALTER TABLE main.");
        append_identifier(&sql, w->table->name);
        bytes_append_text(&sql, " ADD COLUMN ");
        append_column_definition(&sql, &mapping->columns[i]);
        bytes_append_char(&sql, '\0');
        status = bytes_ok(&sql) ? run_sql(c, sql.data, err)
                                : fail(err, STATUS_NO_MEMORY, "no memory for a column");
        if (status != STATUS_OK) break;
    }
    bytes_free(&sql);
    return status;
}

static struct param text_param(const char *text) {
    return (struct param){.type = PARAM_TEXT, .text = {text, strlen(text)}};
}

static enum status save_mapping(struct connection *c, const char *name, const struct mapping *m,
                                struct error *err) {
    struct bytes mapping = {0}, columns = {0};
    mapping_write(m, &mapping);
    mapping_write_columns(m, &columns);
    bytes_append_char(&mapping, '\0');
    bytes_append_char(&columns, '\0');
    enum status status = fail(err, STATUS_NO_MEMORY, "no memory for a mapping");
    if (bytes_ok(&mapping) && bytes_ok(&columns)) {
        const struct param params[] = {text_param(mapping.data), text_param(columns.data),
                                       text_param(name)};
        status = connection_execute(
            c, "UPDATE blip.indices SET mapping = ?, columns = ? WHERE name = ?", params, 3,
            NULL, err);
    }
    bytes_free(&mapping);
    bytes_free(&columns);
    return status;
}

enum status table_write_mapping(struct connection *c, struct table_write *w,
                                struct mapping *mapping, struct error *err) {
    enum status status = add_columns(c, w, mapping, err);
    if (status == STATUS_OK) status = save_mapping(c, w->table->name, mapping, err);
    if (status != STATUS_OK) {
        mapping_free(mapping);
        return status;
    }
    mapping_free(w->mapping);
    w->mapping = mapping;
    w->mapping_changed = true;
    return STATUS_OK;
}

// Saves a text of the registry and keeps a copy to publish.
static enum status change_text(struct connection *c, const char *sql, const char *name,
                               const char *value, char **kept, struct error *err) {
    const struct param params[] = {text_param(value), text_param(name)};
    enum status status = connection_execute(c, sql, params, 2, NULL, err);
    if (status != STATUS_OK) return status;
    free(*kept);
    *kept = strdup(value);
    return *kept ? STATUS_OK : fail(err, STATUS_NO_MEMORY, "no memory for settings");
}

static enum status change(struct connection *c, struct table *t, const char *settings,
                          const char *aliases, const char *mapping, struct error *err) {
    struct table_write *w;
    struct mapping *m;
    enum status status = table_write_begin(c, t, &w, err);
    if (status == STATUS_OK && settings)
        status = change_text(c, "UPDATE blip.indices SET settings = ? WHERE name = ?", t->name,
                             settings, &w->settings, err);
    if (status == STATUS_OK && aliases)
        status = change_text(c, "UPDATE blip.indices SET aliases = ? WHERE name = ?", t->name,
                             aliases, &w->aliases, err);
    if (status != STATUS_OK || !mapping) return status;
    status = table_parse_mapping(mapping, w->mapping, &m, err);
    return status == STATUS_OK ? table_write_mapping(c, w, m, err) : status;
}

enum status table_change(struct connection *c, const char *name, const char *settings,
                         const char *aliases, const char *mapping, struct error *err) {
    struct table *t = table_find(c->store, name, strlen(name));
    if (!t) return fail(err, STATUS_NOT_FOUND, "no such index [%s]", name);
    bool own = !c->in_transaction;
    enum status status = own ? connection_begin(c, err) : STATUS_OK;
    if (status == STATUS_OK) {
        status = change(c, t, settings, aliases, mapping, err);
        if (own && status == STATUS_OK)
            status = connection_commit(c, err);
        else if (own)
            connection_rollback(c);
    }
    table_release(t);
    return status;
}
