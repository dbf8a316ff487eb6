/* store/ingest.c - see ingest.h. */
#include "store/ingest.h"

#include "store/append.h"
#include "store/apply.h"
#include "store/auto_id.h"
#include "store/document.h"
#include "store/internal.h"
#include "store/refusal.h"
#include "store/table.h"

#include <stdlib.h>
#include <string.h>

static enum status no_memory(struct error *err) {
    fail(err, STATUS_NO_MEMORY, "no memory to write documents");
    return STATUS_NO_MEMORY;
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

struct group *ingest_group(const struct ingest *g, const struct operation *o) {
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
enum status ingest_parse(struct ingest *g, struct group *group, struct operation *o,
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
    struct group *group = ingest_group(g, o);
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
    return status == STATUS_OK ? ingest_parse(g, group, o, err) : status;
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
        if (ingest_group(g, o) != group || o->row == SIZE_MAX) continue;
        o->row = SIZE_MAX;
        const char *id = batch_keep(group->batch, o->id.bytes, o->id.size);
        o->id.bytes = id;
        status = id ? ingest_parse(g, group, o, err) : no_memory(err);
    }
    batch_free(before);
    return status;
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
        status = apply_operation(g, &g->bulk->operations[i], err);
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
        if (status == STATUS_OK && own) status = connection_begin(c, err);
        if (status == STATUS_OK) status = run_transaction(&g, err);
        if (own && status == STATUS_OK) status = connection_commit(c, err);
        if (own && status != STATUS_OK) connection_rollback(c);
    }
    free_groups(&g);
    return status;
}
