/* store/document.c - see document.h. */
#include "store/document.h"

#include "store/refusal.h"
#include "store/value.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct document {
    struct batch *batch;
    duckdb_string_t id;
    struct bytes *refusal;
};

// Numbers every object that is read, so that a field seen twice in one is noticed.
static _Thread_local uint64_t object_number;

// A field of the document while its value is read; created when the value shows its type.
struct place {
    struct document *d;
    struct field *parent, *field;  // field: NULL until it is in the mapping
    const char *name;
    size_t name_size;
    uint64_t object;  // the number of the object that the field is in
};

// --- refusing -----------------------------------------------------------------------------

static enum status refuse(struct document *d, const struct cause *cause, struct error *err) {
    refusal_write(d->refusal, cause);
    return fail(err, STATUS_INVALID, "%s", cause->reason);
}

// mapper_parsing_exception: failed to parse, because of something with a name in it.
static enum status refuse_parse(struct document *d, const char *type, struct error *err,
                                const char *format, ...) __attribute__((format(printf, 4, 5)));

static enum status refuse_parse(struct document *d, const char *type, struct error *err,
                                const char *format, ...) {
    char reason[ERROR_REASON_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    const struct cause inner = {type, reason, NULL};
    const struct cause outer = {"mapper_parsing_exception", "failed to parse", &inner};
    return refuse(d, &outer, err);
}

static enum status refuse_plain(struct document *d, const char *type, struct error *err,
                                const char *format, ...) __attribute__((format(printf, 4, 5)));

static enum status refuse_plain(struct document *d, const char *type, struct error *err,
                                const char *format, ...) {
    char reason[ERROR_REASON_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    return refuse(d, &(struct cause){type, reason, NULL}, err);
}

// A value that does not fit its field; `shown` is the value.
static enum status refuse_value(struct document *d, const char *path, const char *type,
                                const char *shown, size_t size, const struct cause *cause,
                                struct error *err) {
    struct bytes reason = {0};
    duckdb_string_t id = d->id;
    bytes_append_text(&reason, "failed to parse field [");
    bytes_append_text(&reason, path);
    bytes_append_text(&reason, "] of type [");
    bytes_append_text(&reason, type);
    bytes_append_text(&reason, "] in document with id '");
    bytes_append(&reason, duckdb_string_t_data(&id), duckdb_string_t_length(id));
    bytes_append_text(&reason, "'. Preview of field's value: '");
    bytes_append(&reason, shown, size < 1000 ? size : 1000);
    bytes_append(&reason, "'", 2);
    enum status status = fail(err, STATUS_NO_MEMORY, "no memory for an error");
    if (bytes_ok(&reason))
        status =
            refuse(d, &(struct cause){"mapper_parsing_exception", reason.data, cause}, err);
    bytes_free(&reason);
    return status;
}

static enum status refuse_misfit(struct document *d, const struct field *f,
                                 const struct scalar *s, const struct misfit *m,
                                 struct error *err) {
    const struct cause parsers = {"date_time_parse_exception",
                                  "Failed to parse with all enclosed parsers", NULL};
    const struct cause cause = {m->type, m->reason, m->with_cause ? &parsers : NULL};
    return refuse_value(d, f->path, field_type_name(f->type), s->text, s->size, &cause, err);
}

// --- fields that are not in the mapping yet -----------------------------------------------

// Whether dynamic mapping may add the place's field; *skip: it must be passed over.
static enum status check_dynamic(struct place *p, bool *skip, struct error *err) {
    *skip = false;
    switch (field_dynamic(p->parent)) {
    case DYNAMIC_STRICT:
        return refuse_plain(
            p->d, "strict_dynamic_mapping_exception", err,
            "mapping set to strict, dynamic introduction of [%.*s] within [%s] is not allowed",
            (int)p->name_size, p->name, *p->parent->path ? p->parent->path : "_doc");
    case DYNAMIC_FALSE:
        *skip = true;
        return STATUS_OK;
    default:
        break;
    }
    const struct mapping *m = p->d->batch->mapping;
    if (m->field_count - 1 >= m->field_limit)
        return refuse_plain(p->d, "illegal_argument_exception", err,
                            "Limit of total fields [%zu] has been exceeded", m->field_limit);
    size_t depth = 1;
    for (const struct field *f = p->parent; f->parent; f = f->parent)
        depth++;
    if (depth > m->depth_limit)
        return refuse_parse(
            p->d, "parse_exception", err,
            "The depth of the field has exceeded the allowed limit of [%zu]. This limit can be "
            "set by changing the [index.mapping.depth.limit] index level setting.",
            m->depth_limit);
    if (memchr(p->name, '\0', p->name_size))
        return refuse_parse(p->d, "illegal_argument_exception", err,
                            "field name cannot contain a zero byte");
    return STATUS_OK;
}

static enum status create_field(struct place *p, enum field_type type, const char *format,
                                struct error *err) {
    struct mapping *m = p->d->batch->mapping;
    char definition[200] = "";
    if (format)
        snprintf(
            definition, sizeof definition,
            "{\"type\":\"date\",\"format\":\"%s\",\"print_format\":\"yyyy/MM/dd HH:mm:ss\"}",
            format);
    enum status status = mapping_add(m, p->parent, p->name, p->name_size, type,
                                     format ? definition : NULL, &p->field, err);
    if (status != STATUS_OK || !format) return status;
    p->field->format_text = strdup(format);
    if (!p->field->format_text) return fail(err, STATUS_NO_MEMORY, "no memory for a mapping");
    return date_format_new(format, strlen(format), &p->field->format, err);
}

// A field that this very document brought must have one type in it.
static enum status check_fresh(struct place *p, const struct scalar *s, struct error *err) {
    const struct batch *b = p->d->batch;
    const struct field *f = p->field;
    const char *format;
    if (f->index < b->field_mark) return STATUS_OK;
    enum field_type type = scalar_type(b->mapping, s, &format);
    if (type == f->type) return STATUS_OK;
    return refuse_plain(p->d, "illegal_argument_exception", err,
                        "mapper [%s] cannot be changed from type [%s] to [%s]", f->path,
                        field_type_name(f->type), field_type_name(type));
}

// --- values -------------------------------------------------------------------------------

static enum status read_field(void *context, const char *key, size_t key_size, struct json *v,
                              struct error *err);
static enum status read_value(void *context, struct json *v, struct error *err);

static bool is_object(const struct field *f) {
    return f->type == FIELD_OBJECT || f->type == FIELD_NESTED;
}

static enum status read_scalar(struct place *p, struct json *v, struct error *err) {
    struct batch *b = p->d->batch;
    struct scalar s;
    struct misfit misfit;
    enum status status = scalar_read(v, &s, err);
    if (status != STATUS_OK) return status;
    if (!p->field) {
        bool skip;
        const char *format;
        enum field_type type = scalar_type(b->mapping, &s, &format);
        status = check_dynamic(p, &skip, err);
        if (status != STATUS_OK || skip) return status;
        status = create_field(p, type, format, err);
        if (status != STATUS_OK) return status;
    } else if (is_object(p->field)) {
        return refuse_plain(p->d, "mapper_parsing_exception", err,
                            "object mapping for [%s] tried to parse field [%s] as object, but "
                            "found a concrete value",
                            p->field->path, p->field->name);
    } else if (p->field->type == FIELD_ALIAS) {
        return refuse_parse(p->d, "illegal_argument_exception", err,
                            "Cannot write to a field alias [%s].", p->field->path);
    } else {
        status = check_fresh(p, &s, err);
        if (status != STATUS_OK) return status;
    }
    misfit.type = NULL;
    status = value_add(b, p->field, &s, &misfit, err);
    if (status != STATUS_INVALID) return status;
    if (p->field->ignore_malformed) return STATUS_OK;
    return refuse_misfit(p->d, p->field, &s, &misfit, err);
}

// The JSON of a value as a text, for the types that hold objects.
static enum status keep_json(struct place *p, const char *start, struct json *v,
                             struct error *err) {
    const char *end = json_end(v);
    return batch_add_text(p->d->batch, p->field, batch_text(start, (size_t)(end - start)), err);
}

static enum status refuse_object(struct place *p, struct json *v, struct error *err) {
    const char *raw;
    size_t size;
    enum status status = json_get_raw(v, &raw, &size, err);
    if (status != STATUS_OK || p->field->ignore_malformed) return status;
    bool text = field_storage(p->field->type) == STORAGE_TEXT;
    const struct cause cause = {
        text ? "illegal_state_exception" : "json_parse_exception",
        text ? "Can't get text on a START_OBJECT"
             : "Current token (START_OBJECT) not numeric, can not use numeric value accessors",
        NULL};
    return refuse_value(p->d, p->field->path, field_type_name(p->field->type), raw, size,
                        &cause, err);
}

static enum status read_object(struct place *p, struct json *v, struct error *err) {
    const char *start = json_start(v);
    enum status status;
    if (!p->field) {
        bool skip;
        status = check_dynamic(p, &skip, err);
        if (status != STATUS_OK) return status;
        if (skip) return json_skip(v, err);
        status = create_field(p, FIELD_OBJECT, NULL, err);
        if (status != STATUS_OK) return status;
    }
    struct field *f = p->field;
    if (is_object(f) && !f->enabled) return json_skip(v, err);
    if (f->type == FIELD_FLAT_OBJECT || f->type == FIELD_GEO_POINT) {
        status = json_skip(v, err);
        return status == STATUS_OK ? keep_json(p, start, v, err) : status;
    }
    if (!is_object(f)) return refuse_object(p, v, err);
    struct place inner = {.d = p->d, .parent = f, .object = ++object_number};
    status = json_each_field(v, read_field, &inner, err);
    if (status == STATUS_OK && f->type == FIELD_NESTED) status = keep_json(p, start, v, err);
    return status;
}

static enum status read_value(void *context, struct json *v, struct error *err) {
    struct place *p = context;
    switch (json_kind_of(v)) {
    case JSON_NULL:
        return json_get_null(v, err);
    case JSON_OBJECT:
        return read_object(p, v, err);
    case JSON_ARRAY:
        if (p->field && p->field->type == FIELD_GEO_POINT) {
            const char *start = json_start(v);
            enum status status = json_skip(v, err);
            return status == STATUS_OK ? keep_json(p, start, v, err) : status;
        }
        return json_each_element(v, read_value, p, err);
    default:
        return read_scalar(p, v, err);
    }
}

// --- names --------------------------------------------------------------------------------

static bool is_metadata(const char *key, size_t size) {
    static const char *const names[] = {"_id",      "_index",       "_source",
                                        "_routing", "_field_names", "_ignored",
                                        "_version", "_seq_no",      "_primary_term"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i]) == size && memcmp(names[i], key, size) == 0) return true;
    return false;
}

static enum status refuse_metadata(struct document *d, const char *key, size_t key_size,
                                   struct json *v, struct error *err) {
    const char *shown;
    size_t size;
    bool stable;
    enum status status = json_kind_of(v) == JSON_STRING
                             ? json_get_string(v, &shown, &size, &stable, err)
                             : json_get_raw(v, &shown, &size, err);
    if (status != STATUS_OK) return status;
    char name[32], reason[200];
    snprintf(name, sizeof name, "%.*s", (int)key_size, key);
    snprintf(reason, sizeof reason,
             "Field [%s] is a metadata field and cannot be added inside a document. Use the "
             "index API request parameters.",
             name);
    const struct cause cause = {"mapper_parsing_exception", reason, NULL};
    return refuse_value(d, name, name, shown, size, &cause, err);
}

static enum status check_name(struct place *p, const char *key, size_t size,
                              struct error *err) {
    const char *type = "illegal_argument_exception";
    size_t dots = 0;
    bool empty_part = size && (key[0] == '.' || key[size - 1] == '.');
    for (size_t i = 0; i < size; i++) {
        dots += key[i] == '.';
        empty_part |= i && key[i] == '.' && key[i - 1] == '.';
    }
    if (size == 0) return refuse_parse(p->d, type, err, "field name cannot be an empty string");
    if (dots == size)
        return refuse_parse(p->d, type, err,
                            "field name cannot contain only the character [.]");
    if (empty_part)
        return refuse_parse(
            p->d, type, err,
            "object field starting or ending with a [.] makes object resolution ambiguous: "
            "[%.*s]",
            (int)size, key);
    return STATUS_OK;
}

// "host.name": walks down to the object `host`, adding it where dynamic mapping may.
static enum status descend(struct place *p, bool *skip, struct error *err) {
    const char *dot;
    *skip = false;
    while ((dot = memchr(p->name, '.', p->name_size))) {
        struct place outer = *p;
        outer.name_size = (size_t)(dot - p->name);
        outer.field = field_child(p->parent, p->name, outer.name_size);
        if (!outer.field) {
            enum status status = check_dynamic(&outer, skip, err);
            if (status != STATUS_OK || *skip) return status;
            status = create_field(&outer, FIELD_OBJECT, NULL, err);
            if (status != STATUS_OK) return status;
        }
        if (!is_object(outer.field))
            return refuse_parse(p->d, "illegal_argument_exception", err,
                                "Could not dynamically add mapping for field [%.*s]. Existing "
                                "mapping for [%s] must be of type object but found [%s].",
                                (int)p->name_size, p->name, outer.field->path,
                                field_type_name(outer.field->type));
        p->parent = outer.field;
        p->name_size -= outer.name_size + 1;
        p->name = dot + 1;
        *skip = !outer.field->enabled;
        if (*skip) return STATUS_OK;
    }
    return STATUS_OK;
}

static enum status read_field(void *context, const char *key, size_t key_size, struct json *v,
                              struct error *err) {
    struct place p = *(struct place *)context;
    p.name = key;
    p.name_size = key_size;
    p.field = field_child(p.parent, key, key_size);
    if (p.field) {
        if (p.field->seen_in == p.object)
            return refuse_parse(p.d, "json_parse_exception", err, "Duplicate field '%.*s'",
                                (int)key_size, key);
        p.field->seen_in = p.object;
        return read_value(&p, v, err);
    }

    if (!p.parent->parent && is_metadata(key, key_size))
        return refuse_metadata(p.d, key, key_size, v, err);
    bool skip;
    enum status status = check_name(&p, key, key_size, err);
    if (status == STATUS_OK) status = descend(&p, &skip, err);
    if (status != STATUS_OK) return status;
    if (skip) return json_skip(v, err);
    p.field = field_child(p.parent, p.name, p.name_size);
    status = read_value(&p, v, err);
    if (p.field) p.field->seen_in = p.object;
    return status;
}

static enum status read_root(void *context, struct json *v, struct error *err) {
    struct document *d = context;
    struct place p = {
        .d = d, .parent = d->batch->mapping->fields[0], .object = ++object_number};
    if (json_kind_of(v) != JSON_OBJECT) return fail(err, STATUS_INVALID, "not an object");
    if (!p.parent->enabled) return json_skip(v, err);
    return json_each_field(v, read_field, &p, err);
}

// Whether the text ends inside of a bracket or a string.
static bool ends_early(const char *text, size_t size) {
    long open = 0;
    bool quoted = false;
    for (size_t i = 0; i < size; i++) {
        if (quoted && text[i] == '\\')
            i++;
        else if (text[i] == '"')
            quoted = !quoted;
        else if (!quoted)
            open += (text[i] == '{' || text[i] == '[') - (text[i] == '}' || text[i] == ']');
    }
    return quoted || open > 0;
}

// The text is no JSON object at all, or stops being one: the reader's own reason.
static enum status refuse_syntax(struct document *d, const char *source, size_t size,
                                 struct error *err) {
    size_t at = 0;
    while (at < size && (unsigned char)source[at] <= ' ')
        at++;
    if (at < size && source[at] == '{' && ends_early(source, size))
        return refuse_parse(d, "json_e_o_f_exception", NULL,
                            "Unexpected end-of-input within/between Object entries");
    if (at < size && source[at] == '{')
        return refuse_parse(d, "json_parse_exception", NULL, "%s", err->reason);
    return refuse_parse(d, "not_x_content_exception", NULL,
                        "Compressor detection can only be called on some xcontent bytes or "
                        "compressed xcontent bytes");
}

enum status document_add(struct batch *b, struct json_reader *reader, duckdb_string_t id,
                         const char *source, size_t size, struct bytes *refusal,
                         struct error *err) {
    struct document d = {.batch = b, .id = id, .refusal = refusal};
    enum status status = batch_begin_row(b, err);
    if (status != STATUS_OK) return status;
    bytes_clear(refusal);
    status = json_read_object(reader, source, size, read_root, &d, err);
    if (status == STATUS_OK) {
        batch_end_row(b, id, batch_text(source, size));
        return STATUS_OK;
    }
    batch_drop_row(b);
    if (status == STATUS_TOO_LARGE) status = STATUS_INVALID;
    if (status == STATUS_INVALID && !refusal->size) refuse_syntax(&d, source, size, err);
    return status;
}
