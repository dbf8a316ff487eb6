/* store/bulk_answer.c - see bulk.h: what became of the operations, as _bulk answers. */
#include "store/bulk.h"

#include "store/table.h"

#include <string.h>

void bulk_fail(struct bulk *b, struct operation *o, int http_status,
               const struct bytes *refusal) {
    o->http_status = http_status;
    o->error_at = b->errors.size;
    o->error_size = refusal->size;
    bytes_append(&b->errors, refusal->data, refusal->size);
    b->failed = true;
}

void bulk_refuse(struct bulk *b, size_t target, enum action action, int http_status,
                 const struct bytes *refusal) {
    for (size_t i = 0; i < b->count; i++) {
        struct operation *o = &b->operations[i];
        if (o->target == target && o->action == action) bulk_fail(b, o, http_status, refusal);
    }
}

static void write_span(struct bytes *out, struct span s) {
    bytes_append_quoted(out, s.bytes, s.size);
}

const char *outcome_name(enum outcome outcome) {
    static const char *const names[] = {
        [OUTCOME_NONE] = "noop",       [OUTCOME_CREATED] = "created",
        [OUTCOME_UPDATED] = "updated", [OUTCOME_DELETED] = "deleted",
        [OUTCOME_NOOP] = "noop",       [OUTCOME_NOT_FOUND] = "not_found"};
    return names[outcome];
}

static void write_success(const struct operation *o, bool forced_refresh, struct bytes *out) {
    bytes_append_text(out, ",\"_version\":");
    bytes_append_int(out, o->result_version);
    bytes_append_text(out, ",\"result\":\"");
    bytes_append_text(out, outcome_name(o->outcome));
    bytes_append_char(out, '"');
    if (forced_refresh) bytes_append_text(out, ",\"forced_refresh\":true");
    bytes_append_text(out,
                      ",\"_shards\":{\"total\":1,\"successful\":1,\"failed\":0},\"_seq_no\":");
    bytes_append_int(out, o->seq_no);
    bytes_append_text(out, ",\"_primary_term\":1");
    if (!o->return_source || o->action != ACTION_UPDATE) return;
    bytes_append_text(out, ",\"get\":{\"_seq_no\":");
    bytes_append_int(out, o->seq_no);
    bytes_append_text(out, ",\"_primary_term\":1,\"found\":true,\"_source\":");
    bytes_append(out, o->source.bytes, o->source.size);
    bytes_append_char(out, '}');
}

static void write_item(const struct bulk *b, const struct operation *o, bool forced_refresh,
                       struct bytes *out) {
    const struct target *t = &b->targets[o->target];
    bytes_append_text(out, "\"_index\":");
    if (t->table)
        bytes_append_quoted(out, table_name(t->table), strlen(table_name(t->table)));
    else
        write_span(out, t->name);
    bytes_append_text(out, ",\"_id\":");
    if (o->id.bytes)
        write_span(out, o->id);
    else
        bytes_append_text(out, "null");
    if (o->error_size == 0) write_success(o, forced_refresh, out);
    bytes_append_text(out, ",\"status\":");
    bytes_append_int(out, o->http_status);
    if (o->error_size == 0) return;
    bytes_append_text(out, ",\"error\":");
    bytes_append(out, b->errors.data + o->error_at, o->error_size);
}

void bulk_write_items(const struct bulk *b, bool forced_refresh, struct bytes *out) {
    static const char *const actions[] = {"{\"index\":{", "{\"create\":{", "{\"update\":{",
                                          "{\"delete\":{"};
    bytes_append_char(out, '[');
    for (size_t i = 0; i < b->count; i++) {
        if (i) bytes_append_char(out, ',');
        bytes_append_text(out, actions[b->operations[i].action]);
        write_item(b, &b->operations[i], forced_refresh, out);
        bytes_append_text(out, "}}");
    }
    bytes_append_char(out, ']');
}
