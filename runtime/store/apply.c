/* store/apply.c - see apply.h. */
#include "store/apply.h"

#include "store/internal.h"
#include "store/refusal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum status no_memory(struct error *err) {
    fail(err, STATUS_NO_MEMORY, "no memory to write documents");
    return STATUS_NO_MEMORY;
}

// --- refusing -----------------------------------------------------------------------------

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
    duckdb_result result = {0};
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
    status = ingest_parse(g, group, o, err);
    if (status != STATUS_OK || o->http_status) return status;
    return settle(group, o, entry, hash, o->row, err);
}

enum status apply_operation(struct ingest *g, struct operation *o, struct error *err) {
    struct group *group = ingest_group(g, o);
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
