/* store/ingest.c - see ingest.h. */
#include "store/ingest.h"

#include "store/append.h"
#include "store/auto_id.h"
#include "store/document.h"
#include "store/internal.h"
#include "store/refusal.h"
#include "store/table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The operations of one bulk on one table.
struct group {
    struct table *table;
    struct batch *batch;
    struct table_write *write;
    bool explicit_ids;
    int64_t first_seq_no;
    size_t *row_of;  // [seq_no - first_seq_no]: the batch's row, SIZE_MAX = none
    size_t row_of_capacity;
    int64_t *deletes;  // rows of the table that are replaced or deleted
    size_t delete_count, delete_capacity;
};

struct ingest {
    struct connection *c;
    struct json_reader *reader;
    struct bulk *bulk;
    struct group *groups;
    size_t group_count;
    size_t *group_of;  // [target]; SIZE_MAX = refused
    struct bytes refusal;
};

static enum status no_memory(struct error *err) {
    return fail(err, STATUS_NO_MEMORY, "no memory to write documents");
}

// --- groups -------------------------------------------------------------------------------

static enum status make_groups(struct ingest *g, struct error *err) {
    size_t targets = g->bulk->target_count;
    g->groups = calloc(targets + 1, sizeof *g->groups);
    g->group_of = calloc(targets + 1, sizeof *g->group_of);
    g->bulk->batches = calloc(targets + 1, sizeof *g->bulk->batches);
    if (!g->groups || !g->group_of || !g->bulk->batches) return no_memory(err);
    for (size_t i = 0; i < targets; i++) {
        struct table *t = g->bulk->targets[i].table;
        size_t at = 0;
        while (at < g->group_count && g->groups[at].table != t)
            at++;
        g->group_of[i] = t ? at : SIZE_MAX;
        if (!t || at < g->group_count) continue;
        g->groups[g->group_count++].table = t;
    }
    return STATUS_OK;
}

static struct group *group_of(const struct ingest *g, const struct operation *o) {
    size_t at = g->group_of[o->target];
    return at == SIZE_MAX ? NULL : &g->groups[at];
}

// The bulk keeps the batches: made ids and new documents lie in them.
static void free_groups(struct ingest *g) {
    for (size_t i = 0; i < g->group_count; i++) {
        if (g->groups[i].batch) g->bulk->batches[g->bulk->batch_count++] = g->groups[i].batch;
        free(g->groups[i].row_of);
        free(g->groups[i].deletes);
    }
    free(g->groups);
    free(g->group_of);
    bytes_free(&g->refusal);
}

// --- parsing ------------------------------------------------------------------------------

static enum status new_batch(struct group *group, struct mapping *mapping, struct error *err) {
    batch_free(group->batch);
    group->batch = mapping ? batch_new(mapping) : NULL;
    if (group->batch) return STATUS_OK;
    mapping_free(mapping);
    return no_memory(err);
}

// Gives the operation an id when it has none; the text lives in the batch.
static enum status need_id(struct group *group, struct operation *o, struct error *err) {
    char id[AUTO_ID_SIZE];
    if (o->id.bytes) return STATUS_OK;
    auto_id_make(id);
    o->id = (struct span){batch_keep(group->batch, id, sizeof id), sizeof id};
    return o->id.bytes ? STATUS_OK : no_memory(err);
}

// Parses a document into the group's batch; what is wrong with it is the operation's own
// affair.
static enum status parse_document(struct ingest *g, struct group *group, struct operation *o,
                                  struct error *err) {
    size_t row = group->batch->rows;
    enum status status =
        document_add(group->batch, g->reader, batch_text(o->id.bytes, o->id.size),
                     o->source.bytes, o->source.size, &g->refusal, err);
    if (status == STATUS_OK) o->row = row;
    if (status != STATUS_INVALID) return status;
    bulk_fail(g->bulk, o, 400, &g->refusal);
    return STATUS_OK;
}

static enum status refuse_argument(struct ingest *g, struct operation *o, const char *reason) {
    refusal_write(&g->refusal, &(struct cause){"illegal_argument_exception", reason, NULL});
    bulk_fail(g->bulk, o, 400, &g->refusal);
    return STATUS_OK;
}

static enum status parse_operation(struct ingest *g, struct operation *o, struct error *err) {
    struct group *group = group_of(g, o);
    if (o->http_status) return STATUS_OK;
    if (!group) {
        const struct target *t = &g->bulk->targets[o->target];
        bulk_fail(g->bulk, o, t->http_status, &t->refusal);
        return STATUS_OK;
    }
    if (o->id.bytes && o->id.size == 0)
        return refuse_argument(g, o, "if _id is specified it must not be empty");
    if (o->scripted)
        return refuse_argument(g, o, "updates by [script] are not supported, use [doc]");
    group->explicit_ids |= o->id.bytes != NULL;
    if (o->action != ACTION_INDEX && o->action != ACTION_CREATE) return STATUS_OK;
    enum status status = need_id(group, o, err);
    return status == STATUS_OK ? parse_document(g, group, o, err) : status;
}

static enum status parse_all(struct ingest *g, struct error *err) {
    uint64_t version;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < g->group_count && status == STATUS_OK; i++)
        status = new_batch(&g->groups[i], table_mapping(g->groups[i].table, &version), err);
    for (size_t i = 0; i < g->bulk->count && status == STATUS_OK; i++)
        status = parse_operation(g, &g->bulk->operations[i], err);
    return status;
}

// Somebody else changed the mapping while we parsed, and we too: parses once more.
static enum status parse_again(struct ingest *g, struct group *group, struct error *err) {
    struct batch *before = group->batch;  // made ids lie in it
    group->batch = NULL;
    enum status status = new_batch(group, mapping_copy(group->write->mapping), err);
    for (size_t i = 0; i < g->bulk->count && status == STATUS_OK; i++) {
        struct operation *o = &g->bulk->operations[i];
        if (group_of(g, o) != group || o->row == SIZE_MAX) continue;
        o->row = SIZE_MAX;
        const char *id = batch_keep(group->batch, o->id.bytes, o->id.size);
        o->id.bytes = id;
        status = id ? parse_document(g, group, o, err) : no_memory(err);
    }
    batch_free(before);
    return status;
}

// --- one operation under the lock ---------------------------------------------------------

static enum status refuse_conflict(struct ingest *g, struct group *group, struct operation *o,
                                   const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static enum status refuse_at(struct ingest *g, struct group *group, struct operation *o,
                             int http_status, const char *type, const char *reason) {
    char more[512];
    snprintf(more, sizeof more, ",\"index\":\"%s\",\"shard\":\"0\",\"index_uuid\":\"%s\"",
             table_name(group->table), table_uuid(group->table));
    refusal_write_more(&g->refusal, &(struct cause){type, reason, NULL}, more);
    bulk_fail(g->bulk, o, http_status, &g->refusal);
    if (o->row != SIZE_MAX) group->batch->dead[o->row] = 1;
    return STATUS_OK;
}

static enum status refuse_conflict(struct ingest *g, struct group *group, struct operation *o,
                                   const char *format, ...) {
    char reason[1024];
    int size = snprintf(reason, sizeof reason, "[%.*s]: version conflict, ", (int)o->id.size,
                        o->id.bytes);
    va_list args;
    va_start(args, format);
    vsnprintf(reason + size, sizeof reason - (size_t)size, format, args);
    va_end(args);
    return refuse_at(g, group, o, 409, "version_conflict_engine_exception", reason);
}

static enum status refuse_missing(struct ingest *g, struct group *group, struct operation *o) {
    char reason[600];
    snprintf(reason, sizeof reason, "[%.*s]: document missing", (int)o->id.size, o->id.bytes);
    return refuse_at(g, group, o, 404, "document_missing_exception", reason);
}

// Whether the operation's conditions hold for the current document (NULL: there is none).
static bool check_conditions(struct ingest *g, struct group *group, struct operation *o,
                             const struct id_entry *current) {
    long long now = current ? (long long)current->version : 0;
    long long wanted = (long long)o->version;
    if (o->if_seq_no >= 0) {
        if (!current)
            refuse_conflict(g, group, o,
                            "required seqNo [%lld], primary term [%lld]. but no document was "
                            "found",
                            (long long)o->if_seq_no, (long long)o->if_primary_term);
        else if (current->seq_no != o->if_seq_no || o->if_primary_term != 1)
            refuse_conflict(g, group, o,
                            "required seqNo [%lld], primary term [%lld]. current document has "
                            "seqNo [%lld] and primary term [1]",
                            (long long)o->if_seq_no, (long long)o->if_primary_term,
                            (long long)current->seq_no);
    } else if (o->action == ACTION_CREATE && current) {
        refuse_conflict(g, group, o, "document already exists (current version [%lld])", now);
    } else if (o->version_type == VERSION_EXTERNAL && current && now >= wanted) {
        refuse_conflict(g, group, o,
                        "current version [%lld] is higher or equal to the one provided [%lld]",
                        now, wanted);
    } else if (o->version_type == VERSION_EXTERNAL_GTE && current && now > wanted) {
        refuse_conflict(g, group, o,
                        "current version [%lld] is higher than the one provided [%lld]", now,
                        wanted);
    }
    return o->http_status == 0;
}

// The current document will go: a row of this batch is not appended, one of the table deleted.
static enum status replace(struct group *group, const struct id_entry *current,
                           struct error *err) {
    if (current->seq_no >= group->first_seq_no) {
        size_t row = group->row_of[current->seq_no - group->first_seq_no];
        if (row != SIZE_MAX) group->batch->dead[row] = 1;
        return STATUS_OK;
    }
    if (group->delete_count == group->delete_capacity) {
        size_t capacity = group->delete_capacity ? group->delete_capacity * 2 : 64;
        int64_t *grown = realloc(group->deletes, capacity * sizeof *grown);
        if (!grown) return no_memory(err);
        group->deletes = grown;
        group->delete_capacity = capacity;
    }
    group->deletes[group->delete_count++] = current->seq_no;
    return STATUS_OK;
}

// Takes the next sequence number for a row, or for a delete (SIZE_MAX).
static enum status take_seq_no(struct group *group, struct operation *o, size_t row,
                               struct error *err) {
    o->seq_no = group->write->next_seq_no++;
    size_t at = (size_t)(o->seq_no - group->first_seq_no);
    if (at >= group->row_of_capacity) {
        size_t capacity = group->row_of_capacity ? group->row_of_capacity * 2 : 64;
        size_t *grown = realloc(group->row_of, capacity * sizeof *grown);
        if (!grown) return no_memory(err);
        group->row_of = grown;
        group->row_of_capacity = capacity;
    }
    group->row_of[at] = row;
    return STATUS_OK;
}

// The entry of the operation's id, deleted ones too; NULL when it was never there.
static const struct id_entry *find_entry(const struct group *group, const struct operation *o,
                                         uint64_t *hash) {
    const struct id_map *ids = group->write->ids;
    *hash = 0;
    if (!ids) return NULL;
    *hash = id_map_hash(ids, o->id.bytes, o->id.size);
    return id_map_get(ids, *hash);
}

// Ends an operation that writes or deletes: number, version, id map.
static enum status settle(struct group *group, struct operation *o,
                          const struct id_entry *entry, uint64_t hash, size_t row,
                          struct error *err) {
    enum status status = take_seq_no(group, o, row, err);
    if (status != STATUS_OK) return status;
    bool current = entry && !entry->deleted;
    o->result_version = o->version_type != VERSION_INTERNAL ? o->version
                        : entry                             ? (int64_t)entry->version + 1
                                                            : 1;
    if (current) status = replace(group, entry, err);
    if (status != STATUS_OK) return status;
    if (row != SIZE_MAX) {
        group->batch->seq_nos[row] = o->seq_no;
        group->batch->versions[row] = o->result_version;
        o->outcome = current ? OUTCOME_UPDATED : OUTCOME_CREATED;
        o->http_status = current ? 200 : 201;
    } else {
        o->outcome = current ? OUTCOME_DELETED : OUTCOME_NOT_FOUND;
        o->http_status = current ? 200 : 404;
    }
    if (!group->write->ids) return STATUS_OK;
    struct id_entry next = {.hash = hash,
                            .seq_no = o->seq_no,
                            .version = (uint64_t)o->result_version & ID_VERSION_MASK,
                            .deleted = row == SIZE_MAX};
    return table_write_put_id(group->write, next, err);
}

static enum status write_document(struct ingest *g, struct group *group, struct operation *o,
                                  struct error *err) {
    uint64_t hash;
    const struct id_entry *entry = find_entry(group, o, &hash);
    const struct id_entry *current = entry && !entry->deleted ? entry : NULL;
    if (!check_conditions(g, group, o, current)) return STATUS_OK;
    return settle(group, o, entry, hash, o->row, err);
}

static enum status delete_document(struct ingest *g, struct group *group, struct operation *o,
                                   struct error *err) {
    uint64_t hash;
    const struct id_entry *entry = find_entry(group, o, &hash);
    const struct id_entry *current = entry && !entry->deleted ? entry : NULL;
    if (!check_conditions(g, group, o, current)) return STATUS_OK;
    return settle(group, o, entry, hash, SIZE_MAX, err);
}

// --- updates ------------------------------------------------------------------------------

// The text of a document of the table, in the batch's memory.
static enum status load_source(struct ingest *g, struct group *group, int64_t seq_no,
                               struct span *out, struct error *err) {
    struct bytes sql = {0};
    bytes_append_text(&sql, "SELECT _source FROM main.");
    append_identifier(&sql, table_name(group->table));
    bytes_append_text(&sql, " WHERE _seq_no = ?");
    bytes_append_char(&sql, '\0');
    const struct param param = {.type = PARAM_INT, .integer = seq_no};
    duckdb_result result;
    enum status status = bytes_ok(&sql) ? run_statement(g->c, sql.data, &param, 1, &result, err)
                                        : no_memory(err);
    bytes_free(&sql);
    if (status != STATUS_OK) return status;
    duckdb_data_chunk chunk = duckdb_fetch_chunk(result);
    if (chunk && duckdb_data_chunk_get_size(chunk) == 1) {
        duckdb_string_t *text = duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 0));
        out->size = duckdb_string_t_length(*text);
        out->bytes = batch_keep(group->batch, duckdb_string_t_data(text), out->size);
        if (!out->bytes) status = no_memory(err);
    } else {
        status = fail(err, STATUS_FAILED, "the document with _seq_no %lld of [%s] is not there",
                      (long long)seq_no, table_name(group->table));
    }
    duckdb_destroy_data_chunk(&chunk);
    duckdb_destroy_result(&result);
    return status;
}

static enum status current_source(struct ingest *g, struct group *group,
                                  const struct id_entry *current, struct span *out,
                                  struct error *err) {
    if (current->seq_no < group->first_seq_no)
        return load_source(g, group, current->seq_no, out, err);
    duckdb_string_t *text =
        &group->batch->sources[group->row_of[current->seq_no - group->first_seq_no]];
    out->bytes = duckdb_string_t_data(text);
    out->size = duckdb_string_t_length(*text);
    return STATUS_OK;
}

// The padded copy of a new document, as document_add() wants it.
static enum status keep_source(struct group *group, const char *bytes, size_t size,
                               struct span *out, struct error *err) {
    static const char padding[JSON_PADDING] = {0};
    struct bytes padded = {0};
    bytes_append(&padded, bytes, size);
    bytes_append(&padded, padding, sizeof padding);
    out->bytes = bytes_ok(&padded) ? batch_keep(group->batch, padded.data, padded.size) : NULL;
    out->size = size;
    bytes_free(&padded);
    return out->bytes ? STATUS_OK : no_memory(err);
}

static enum status merge_document(struct ingest *g, struct group *group, struct operation *o,
                                  const struct id_entry *current, bool *changed,
                                  struct error *err) {
    struct span before = {0};
    struct bytes merged = {0};
    enum status status = current_source(g, group, current, &before, err);
    if (status == STATUS_OK)
        status = json_merge(before.bytes, before.size, o->doc.bytes, o->doc.size, &merged,
                            changed, err);
    if (status == STATUS_OK)
        status = keep_source(group, merged.data, merged.size, &o->source, err);
    bytes_free(&merged);
    *changed |= o->no_detect_noop;
    return status;
}

static enum status update_document(struct ingest *g, struct group *group, struct operation *o,
                                   struct error *err) {
    uint64_t hash;
    bool changed = true;
    const struct id_entry *entry = find_entry(group, o, &hash);
    const struct id_entry *current = entry && !entry->deleted ? entry : NULL;
    struct span created = o->upsert.bytes ? o->upsert : o->doc;
    enum status status;
    if (!current && !o->upsert.bytes && !o->doc_as_upsert) return refuse_missing(g, group, o);
    if (!check_conditions(g, group, o, current)) return STATUS_OK;
    if (current)
        status = merge_document(g, group, o, current, &changed, err);
    else
        status = keep_source(group, created.bytes, created.size, &o->source, err);
    if (status != STATUS_OK) return status;
    if (!changed) {
        o->outcome = OUTCOME_NOOP;
        o->http_status = 200;
        o->seq_no = current->seq_no;
        o->result_version = (int64_t)current->version;
        return STATUS_OK;
    }
    status = parse_document(g, group, o, err);
    if (status != STATUS_OK || o->http_status) return status;
    return settle(group, o, entry, hash, o->row, err);
}

static enum status apply(struct ingest *g, struct operation *o, struct error *err) {
    struct group *group = group_of(g, o);
    if (o->http_status || !group) return STATUS_OK;
    switch (o->action) {
    case ACTION_UPDATE:
        return update_document(g, group, o, err);
    case ACTION_DELETE:
        return delete_document(g, group, o, err);
    default:
        return write_document(g, group, o, err);
    }
}

// --- the transaction ----------------------------------------------------------------------

static int by_name(const void *a, const void *b) {
    const struct group *const *left = a, *const *right = b;
    return strcmp(table_name((*left)->table), table_name((*right)->table));
}

static enum status begin_group(struct ingest *g, struct group *group, struct error *err) {
    enum status status = table_write_begin(g->c, group->table, &group->write, err);
    if (status != STATUS_OK) return status;
    const struct batch *b = group->batch;
    const struct mapping *now = group->write->mapping;
    bool moved =
        now->field_count != b->first_new_field || now->column_count != b->first_new_column;
    if (moved) status = parse_again(g, group, err);
    group->first_seq_no = group->write->next_seq_no;
    if (status == STATUS_OK && group->explicit_ids)
        status = table_write_need_ids(g->c, group->write, err);
    return status;
}

// The same order for everybody, so that nobody waits for one who waits for him.
static enum status lock_groups(struct ingest *g, struct error *err) {
    struct group **order = calloc(g->group_count + 1, sizeof *order);
    if (!order) return no_memory(err);
    for (size_t i = 0; i < g->group_count; i++)
        order[i] = &g->groups[i];
    qsort(order, g->group_count, sizeof *order, by_name);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < g->group_count && status == STATUS_OK; i++)
        status = table_write_lock(g->c, order[i]->table, err);
    free(order);
    return status;
}

static enum status save_mapping(struct ingest *g, struct group *group, struct error *err) {
    const struct batch *b = group->batch;
    const struct mapping *m = b->mapping;
    if (m->field_count == b->first_new_field && m->column_count == b->first_new_column)
        return STATUS_OK;
    struct mapping *copy = mapping_copy(m);
    return copy ? table_write_mapping(g->c, group->write, copy, err) : no_memory(err);
}

// One statement for all rows that go; bounds let DuckDB skip most of the table.
static enum status delete_rows(struct ingest *g, struct group *group, struct error *err) {
    struct bytes sql = {0}, list = {0};
    int64_t least = INT64_MAX, most = INT64_MIN, gone;
    if (group->delete_count == 0) return STATUS_OK;
    for (size_t i = 0; i < group->delete_count; i++) {
        int64_t seq_no = group->deletes[i];
        least = seq_no < least ? seq_no : least;
        most = seq_no > most ? seq_no : most;
        bytes_append_char(&list, i ? ',' : '[');
        bytes_append_int(&list, seq_no);
    }
    bytes_append_char(&list, ']');
    bytes_append_text(&sql, "DELETE FROM main.");
    append_identifier(&sql, table_name(group->table));
    bool one = group->delete_count == 1;
    bytes_append_text(&sql, one ? " WHERE _seq_no = ?"
                                : " WHERE _seq_no BETWEEN ? AND ? AND _seq_no IN "
                                  "(SELECT unnest(CAST(CAST(? AS VARCHAR) AS BIGINT[])))");
    bytes_append_char(&sql, '\0');
    enum status status = no_memory(err);
    if (bytes_ok(&sql) && bytes_ok(&list)) {
        const struct param params[] = {{.type = PARAM_INT, .integer = least},
                                       {.type = PARAM_INT, .integer = most},
                                       {.type = PARAM_TEXT, .text = {list.data, list.size}}};
        status = connection_execute(g->c, sql.data, params, one ? 1 : 3, &gone, err);
        if (status == STATUS_OK && (size_t)gone != group->delete_count)
            status = fail(err, STATUS_CONFLICT,
                          "documents of [%s] changed since this transaction began",
                          table_name(group->table));
    }
    bytes_free(&sql);
    bytes_free(&list);
    return status;
}

// The number of a delete is in no row: when it is the last, the registry remembers it.
static enum status save_seq_no(struct ingest *g, struct group *group, struct error *err) {
    const char *name = table_name(group->table);
    const struct param params[] = {{.type = PARAM_INT, .integer = group->write->next_seq_no},
                                   {.type = PARAM_TEXT, .text = {name, strlen(name)}}};
    int64_t used = group->write->next_seq_no - group->first_seq_no;
    if (used == 0) return STATUS_OK;
    size_t last = group->row_of[used - 1];
    if (last != SIZE_MAX && !group->batch->dead[last]) return STATUS_OK;
    return connection_execute(g->c, "UPDATE blip.indices SET next_seq_no = ? WHERE name = ?",
                              params, 2, NULL, err);
}

static enum status write_group(struct ingest *g, struct group *group, struct error *err) {
    enum status status = save_mapping(g, group, err);
    if (status == STATUS_OK) status = delete_rows(g, group, err);
    if (status == STATUS_OK)
        status = append_batch(g->c, table_name(group->table), group->batch, err);
    if (status == STATUS_OK) status = save_seq_no(g, group, err);
    return status;
}

static enum status run_transaction(struct ingest *g, struct error *err) {
    enum status status = STATUS_OK;
    for (size_t i = 0; i < g->group_count && status == STATUS_OK; i++)
        status = begin_group(g, &g->groups[i], err);
    for (size_t i = 0; i < g->bulk->count && status == STATUS_OK; i++)
        status = apply(g, &g->bulk->operations[i], err);
    for (size_t i = 0; i < g->group_count && status == STATUS_OK; i++)
        status = write_group(g, &g->groups[i], err);
    return status;
}

enum status ingest_bulk(struct connection *c, struct json_reader *reader, struct bulk *b,
                        struct error *err) {
    struct ingest g = {.c = c, .reader = reader, .bulk = b};
    bool own = !c->in_transaction;
    enum status status = make_groups(&g, err);
    if (status == STATUS_OK) status = parse_all(&g, err);
    if (status == STATUS_OK && g.group_count) {
        status = lock_groups(&g, err);  // before the transaction looks at the tables
        if (status == STATUS_OK && own) {
            status = connection_begin(c, err);
            c->began_behind_locks = status == STATUS_OK;
        }
        if (status == STATUS_OK) status = run_transaction(&g, err);
        if (own && status == STATUS_OK) status = connection_commit(c, err);
        if (own && status != STATUS_OK) connection_rollback(c);
    }
    free_groups(&g);
    return status;
}
