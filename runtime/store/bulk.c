/* store/bulk.c - see bulk.h: reading operations. */
#include "store/bulk.h"

#include "store/batch.h"
#include "store/table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ID_BYTES 512

static bool is(const char *key, size_t size, const char *word) {
    return strlen(word) == size && memcmp(key, word, size) == 0;
}

static enum status no_memory(struct error *err) {
    fail(err, STATUS_NO_MEMORY, "no memory for a bulk request");
    return STATUS_NO_MEMORY;
}

void bulk_free(struct bulk *b) {
    if (!b) return;
    for (size_t i = 0; i < b->target_count; i++) {
        table_release(b->targets[i].table);
        bytes_free(&b->targets[i].refusal);
    }
    for (size_t i = 0; i < b->batch_count; i++)
        batch_free(b->batches[i]);
    free(b->batches);
    free(b->targets);
    free(b->operations);
    free(b->body);
    bytes_free(&b->errors);
    free(b);
}

// A bulk with a padded copy of a text.
static struct bulk *bulk_new(const char *body, size_t size) {
    struct bulk *b = calloc(1, sizeof *b);
    if (!b) return NULL;
    b->body = malloc(size + JSON_PADDING);
    if (!b->body) {
        free(b);
        return NULL;
    }
    memcpy(b->body, body, size);
    memset(b->body + size, 0, JSON_PADDING);
    b->body_size = size;
    return b;
}

static struct operation *add_operation(struct bulk *b) {
    if (b->count == b->capacity) {
        size_t capacity = b->capacity ? b->capacity * 2 : 16;
        struct operation *grown = realloc(b->operations, capacity * sizeof *grown);
        if (!grown) return NULL;
        b->operations = grown;
        b->capacity = capacity;
    }
    struct operation *o = &b->operations[b->count++];
    *o = (struct operation){.if_seq_no = -1, .if_primary_term = -1, .row = SIZE_MAX};
    return o;
}

// The target of a name; most requests have one or a few, the last one used first.
static enum status find_target(struct bulk *b, struct span name, bool require_alias,
                               size_t *out, struct error *err) {
    for (size_t i = b->target_count; i-- > 0;) {
        const struct target *t = &b->targets[i];
        if (t->name.size != name.size || t->require_alias != require_alias ||
            memcmp(t->name.bytes, name.bytes, name.size) != 0)
            continue;
        *out = i;
        return STATUS_OK;
    }
    if (b->target_count == b->target_capacity) {
        size_t capacity = b->target_capacity ? b->target_capacity * 2 : 4;
        struct target *grown = realloc(b->targets, capacity * sizeof *grown);
        if (!grown) return no_memory(err);
        b->targets = grown;
        b->target_capacity = capacity;
    }
    *out = b->target_count;
    b->targets[b->target_count++] =
        (struct target){.name = name, .require_alias = require_alias};
    return STATUS_OK;
}

// --- reading a body -----------------------------------------------------------------------

struct read {
    struct bulk *bulk;
    struct json_reader *reader;
    struct bulk_refusal *refusal;
    struct span default_index;
    size_t line;  // of the body, from 1
    const char *at, *end;
    // of the action line that is being read
    struct operation *operation;
    struct span index;
    bool require_alias, has_action;
};

static enum status refuse(struct bulk_refusal *r, struct error *err, const char *type,
                          const char *format, ...) __attribute__((format(printf, 4, 5)));

static enum status refuse(struct bulk_refusal *r, struct error *err, const char *type,
                          const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(r->reason, sizeof r->reason, format, args);
    va_end(args);
    r->type = type;
    return fail(err, STATUS_INVALID, "%.500s", r->reason);
}

static const char *token_name(const struct json *v) {
    static const char *const names[] = {
        [JSON_NULL] = "VALUE_NULL",     [JSON_BOOL] = "VALUE_BOOLEAN",
        [JSON_NUMBER] = "VALUE_NUMBER", [JSON_STRING] = "VALUE_STRING",
        [JSON_ARRAY] = "START_ARRAY",   [JSON_OBJECT] = "START_OBJECT"};
    return names[json_kind_of(v)];
}

// A text of the line that outlives the reader: unescaped ones are copied over the escaped,
// which are longer.
static enum status stable_text(struct json *v, struct span *out, struct error *err) {
    bool stable;
    char *start = (char *)json_start(v);
    if (json_kind_of(v) == JSON_NUMBER) {
        struct json_number n;
        enum status read = json_get_number(v, &n, err);
        *out = (struct span){n.digits, n.digits_size};
        return read;
    }
    if (json_kind_of(v) != JSON_STRING) return json_get_raw(v, &out->bytes, &out->size, err);
    enum status status = json_get_string(v, &out->bytes, &out->size, &stable, err);
    if (status != STATUS_OK || stable) return status;
    memcpy(start, out->bytes, out->size);
    out->bytes = start;
    return STATUS_OK;
}

static enum status read_number(struct json *v, int64_t *out, struct error *err) {
    struct json_number n;
    if (json_kind_of(v) == JSON_STRING) {
        struct span text;
        enum status status = stable_text(v, &text, err);
        if (status == STATUS_OK) *out = strtoll(text.bytes, NULL, 10);
        return status;
    }
    enum status status = json_get_number(v, &n, err);
    if (status == STATUS_OK) *out = n.integer;
    return status;
}

static enum status read_version_type(struct read *r, struct json *v, struct error *err) {
    struct span text;
    enum status status = stable_text(v, &text, err);
    if (status != STATUS_OK) return status;
    if (is(text.bytes, text.size, "internal"))
        r->operation->version_type = VERSION_INTERNAL;
    else if (is(text.bytes, text.size, "external"))
        r->operation->version_type = VERSION_EXTERNAL;
    else if (is(text.bytes, text.size, "external_gte"))
        r->operation->version_type = VERSION_EXTERNAL_GTE;
    else
        return refuse(r->refusal, err, "illegal_argument_exception",
                      "No version type match [%.*s]", (int)text.size, text.bytes);
    return STATUS_OK;
}

static enum status read_parameter(void *context, const char *key, size_t size, struct json *v,
                                  struct error *err) {
    struct read *r = context;
    struct operation *o = r->operation;
    struct span text;
    enum json_kind kind = json_kind_of(v);
    if (kind == JSON_OBJECT || kind == JSON_ARRAY)
        return refuse(r->refusal, err, "illegal_argument_exception",
                      "Malformed action/metadata line [%zu], expected a simple value for field "
                      "[%.*s] but found [%s]",
                      r->line, (int)size, key, token_name(v));
    if (kind == JSON_NULL) return json_get_null(v, err);
    if (is(key, size, "_index")) return stable_text(v, &r->index, err);
    if (is(key, size, "_id")) return stable_text(v, &o->id, err);
    if (is(key, size, "if_seq_no")) return read_number(v, &o->if_seq_no, err);
    if (is(key, size, "if_primary_term")) return read_number(v, &o->if_primary_term, err);
    if (is(key, size, "version")) return read_number(v, &o->version, err);
    if (is(key, size, "version_type")) return read_version_type(r, v, err);
    if (is(key, size, "require_alias") && kind == JSON_BOOL)
        return json_get_bool(v, &r->require_alias, err);
    if (is(key, size, "op_type")) {
        enum status status = stable_text(v, &text, err);
        if (status == STATUS_OK && is(text.bytes, text.size, "create"))
            o->action = ACTION_CREATE;
        return status;
    }
    // One table has one shard, retries never help, and ids carry no type.
    if (is(key, size, "routing") || is(key, size, "_type") ||
        is(key, size, "retry_on_conflict"))
        return json_skip(v, err);
    return refuse(r->refusal, err, "illegal_argument_exception",
                  "Action/metadata line [%zu] contains an unknown parameter [%.*s]", r->line,
                  (int)size, key);
}

static enum status read_action(void *context, const char *key, size_t size, struct json *v,
                               struct error *err) {
    static const char *const names[] = {"index", "create", "update", "delete"};
    struct read *r = context;
    if (r->has_action) return json_skip(v, err);  // only the first one counts
    r->has_action = true;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!is(key, size, names[i])) continue;
        r->operation->action = (enum action)i;
        if (json_kind_of(v) == JSON_OBJECT) return json_each_field(v, read_parameter, r, err);
        return refuse(r->refusal, err, "illegal_argument_exception",
                      "Malformed action/metadata line [%zu], expected START_OBJECT but found "
                      "[%s]",
                      r->line, token_name(v));
    }
    return refuse(r->refusal, err, "illegal_argument_exception",
                  "Malformed action/metadata line [%zu], expected field [create], [delete], "
                  "[index] or [update] but found [%.*s]",
                  r->line, (int)size, key);
}

static enum status read_action_line(void *context, struct json *v, struct error *err) {
    struct read *r = context;
    if (json_kind_of(v) != JSON_OBJECT)
        return refuse(r->refusal, err, "illegal_argument_exception",
                      "Malformed action/metadata line [%zu], expected START_OBJECT but found "
                      "[%s]",
                      r->line, token_name(v));
    enum status status = json_each_field(v, read_action, r, err);
    if (status == STATUS_OK && !r->has_action)
        return refuse(r->refusal, err, "illegal_argument_exception",
                      "Malformed action/metadata line [%zu], expected FIELD_NAME but found "
                      "[END_OBJECT]",
                      r->line);
    return status;
}

// The next line without its end; false at the end of the body.
static bool next_line(struct read *r, struct span *line) {
    if (r->at == r->end) return false;
    const char *newline = memchr(r->at, '\n', (size_t)(r->end - r->at));
    const char *stop = newline ? newline : r->end;
    *line = (struct span){r->at, (size_t)(stop - r->at)};
    r->at = newline ? newline + 1 : r->end;
    r->line++;
    if (line->size && line->bytes[line->size - 1] == '\r') line->size--;
    return true;
}

static enum status check_operation(struct read *r, struct error *err) {
    const struct operation *o = r->operation;
    const char *validation = "action_request_validation_exception";
    if (!r->index.bytes)
        return refuse(r->refusal, err, validation, "Validation Failed: 1: index is missing;");
    if (!o->id.bytes && (o->action == ACTION_UPDATE || o->action == ACTION_DELETE))
        return refuse(r->refusal, err, validation, "Validation Failed: 1: id is missing;");
    if (o->id.size > MAX_ID_BYTES)
        return refuse(r->refusal, err, validation,
                      "Validation Failed: 1: id [%.*s] is too long, must be no longer than 512 "
                      "bytes but was: %zu;",
                      (int)(o->id.size < 600 ? o->id.size : 600), o->id.bytes, o->id.size);
    if (o->if_seq_no >= 0 && o->if_primary_term <= 0)
        return refuse(r->refusal, err, validation,
                      "Validation Failed: 1: ifSeqNo is set, but primary term is [0];");
    if (o->action == ACTION_UPDATE && !o->doc.bytes && !o->scripted)
        return refuse(r->refusal, err, validation,
                      "Validation Failed: 1: script or doc is missing;");
    return STATUS_OK;
}

static enum status read_flag(struct json *v, bool *out, struct error *err) {
    struct span text;
    enum status status = stable_text(v, &text, err);
    *out = status == STATUS_OK && is(text.bytes, text.size, "true");
    return status;
}

static enum status read_update_field(void *context, const char *key, size_t size,
                                     struct json *v, struct error *err) {
    struct read *r = context;
    struct operation *o = r->operation;
    enum status status;
    if (is(key, size, "doc")) return json_get_raw(v, &o->doc.bytes, &o->doc.size, err);
    if (is(key, size, "upsert")) return json_get_raw(v, &o->upsert.bytes, &o->upsert.size, err);
    if (is(key, size, "doc_as_upsert")) return read_flag(v, &o->doc_as_upsert, err);
    if (is(key, size, "_source")) return read_flag(v, &o->return_source, err);
    if (is(key, size, "detect_noop")) {
        status = read_flag(v, &o->no_detect_noop, err);
        o->no_detect_noop = !o->no_detect_noop;
        return status;
    }
    if (is(key, size, "script") || is(key, size, "scripted_upsert")) {
        o->scripted = true;  // refused as an item, the others go on
        return json_skip(v, err);
    }
    return refuse(r->refusal, err, "x_content_parse_exception",
                  "[1:2] [UpdateRequest] unknown field [%.*s]%s", (int)size, key,
                  is(key, size, "docs") ? " did you mean [doc]?" : "");
}

static enum status read_update(void *context, struct json *v, struct error *err) {
    if (json_kind_of(v) == JSON_OBJECT)
        return json_each_field(v, read_update_field, context, err);
    struct read *r = context;
    return refuse(r->refusal, err, "x_content_parse_exception",
                  "[1:1] [UpdateRequest] Expected START_OBJECT but was: %s", token_name(v));
}

// An action line that is no JSON, or a scalar, which the reader does not take for a value.
static enum status refuse_line(struct read *r, struct span line, struct error *err) {
    size_t at = strspn(line.bytes, " \t");
    char first = at < line.size ? line.bytes[at] : '\0';
    if (first == '{' || first == '[')
        return refuse(r->refusal, err, "json_parse_exception",
                      "Malformed action/metadata line [%zu]: %s", r->line, err->reason);
    return refuse(r->refusal, err, "illegal_argument_exception",
                  "Malformed action/metadata line [%zu], expected START_OBJECT but found [%s]",
                  r->line, first == '"' ? "VALUE_STRING" : "VALUE_NUMBER");
}

// Reads one action line and the line behind it; *more is false at the end.
static enum status read_operation(struct read *r, bool *more, struct error *err) {
    struct span line;
    do {
        *more = next_line(r, &line);
        if (!*more) return STATUS_OK;
    } while (line.size == 0);
    r->operation = add_operation(r->bulk);
    if (!r->operation) return no_memory(err);
    r->index = r->default_index;
    r->require_alias = r->has_action = false;
    r->refusal->type = NULL;
    enum status status =
        json_read_object(r->reader, line.bytes, line.size, read_action_line, r, err);
    if (status == STATUS_INVALID && !r->refusal->type) return refuse_line(r, line, err);
    if (status != STATUS_OK) return status;

    struct operation *o = r->operation;
    if (o->action != ACTION_DELETE && (!next_line(r, &o->source) || o->source.size == 0)) {
        r->bulk->count--;
        *more = false;
        return STATUS_OK;
    }
    if (o->action == ACTION_UPDATE)
        status =
            json_read_object(r->reader, o->source.bytes, o->source.size, read_update, r, err);
    if (status == STATUS_INVALID && !r->refusal->type)
        return refuse(r->refusal, err, "json_parse_exception", "%s", err->reason);
    if (status == STATUS_OK) status = check_operation(r, err);
    if (status == STATUS_OK)
        status = find_target(r->bulk, r->index, r->require_alias, &o->target, err);
    return status;
}

static enum status read_operations(struct read *r, struct error *err) {
    const struct bulk *b = r->bulk;
    bool more = true;
    if (!b->body_size || b->body[b->body_size - 1] != '\n')
        return refuse(r->refusal, err, "illegal_argument_exception",
                      "The bulk request must be terminated by a newline [\\n]");
    while (more) {
        enum status status = read_operation(r, &more, err);
        if (status != STATUS_OK) return status;
    }
    if (b->count == 0)
        return refuse(r->refusal, err, "action_request_validation_exception",
                      "Validation Failed: 1: no requests added;");
    return STATUS_OK;
}

static struct span index_span(const char *index) {
    return index ? (struct span){index, strlen(index)} : (struct span){0};
}

enum status bulk_read(struct json_reader *reader, const char *body, size_t size,
                      const char *index, struct bulk **out, struct bulk_refusal *refusal,
                      struct error *err) {
    struct bulk *b = bulk_new(body, size);
    if (!b) return no_memory(err);
    struct read r = {.bulk = b,
                     .reader = reader,
                     .refusal = refusal,
                     .default_index = index_span(index),
                     .at = b->body,
                     .end = b->body + size};
    enum status status = read_operations(&r, err);
    if (status != STATUS_OK) {
        bulk_free(b);
        return status;
    }
    *out = b;
    return STATUS_OK;
}

enum status bulk_read_documents(const char *body, size_t size, const char *index,
                                struct bulk **out, struct error *err) {
    struct bulk *b = bulk_new(body, size);
    if (!b) return no_memory(err);
    struct read r = {.bulk = b, .at = b->body, .end = b->body + size};
    size_t target;
    enum status status = find_target(b, index_span(index), false, &target, err);
    struct span line;
    while (status == STATUS_OK && next_line(&r, &line)) {
        if (line.size == 0) continue;
        struct operation *o = add_operation(b);
        if (o)
            o->source = line;
        else
            status = no_memory(err);
    }
    if (status != STATUS_OK) {
        bulk_free(b);
        return status;
    }
    *out = b;
    return STATUS_OK;
}

enum status bulk_one(struct json_reader *reader, const struct operation *operation,
                     const char *index, struct bulk **out, struct bulk_refusal *refusal,
                     struct error *err) {
    struct bulk *b = bulk_new(operation->source.bytes ? operation->source.bytes : "",
                              operation->source.size);
    struct operation *o = b ? add_operation(b) : NULL;
    if (!o) {
        bulk_free(b);
        return no_memory(err);
    }
    *o = *operation;
    o->row = SIZE_MAX;
    o->source = (struct span){b->body, b->body_size};
    struct read r = {.bulk = b,
                     .reader = reader,
                     .refusal = refusal,
                     .operation = o,
                     .index = index_span(index)};
    refusal->type = NULL;
    enum status status = STATUS_OK;
    if (o->action == ACTION_UPDATE)
        status =
            json_read_object(reader, o->source.bytes, o->source.size, read_update, &r, err);
    if (status == STATUS_INVALID && !refusal->type)
        refuse(refusal, err, "json_parse_exception", "%s", err->reason);
    if (status == STATUS_OK) status = check_operation(&r, err);
    if (status == STATUS_OK) status = find_target(b, r.index, false, &o->target, err);
    if (status != STATUS_OK) {
        bulk_free(b);
        return status;
    }
    *out = b;
    return STATUS_OK;
}
