/* store/mapping_text.c - see mapping.h: mappings as JSON, and their columns as JSON.
 * What is read here was checked before (lua/blip/index/mapping.lua refuses what we do not
 * know), so options that mean nothing to the store are kept as they were written. */
#include "store/mapping.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct parse {
    struct mapping *m;
    struct field *field;  // whose definition is being read
    bool typed, has_properties;
    struct bytes options;  // of an object: everything but its type and properties
};

static bool is(const char *key, size_t size, const char *word) {
    return strlen(word) == size && memcmp(key, word, size) == 0;
}

// A JSON scalar as the text that it means: "true" and true are the same in mappings.
static enum status scalar_text(struct json *v, const char **bytes, size_t *size,
                               struct error *err) {
    bool stable;
    if (json_kind_of(v) == JSON_STRING) return json_get_string(v, bytes, size, &stable, err);
    return json_get_raw(v, bytes, size, err);
}

static enum status set_type(struct parse *p, const char *name, size_t size, struct error *err) {
    p->typed = true;
    if (field_type_find(name, size, &p->field->type)) return STATUS_OK;
    return fail(err, STATUS_INVALID, "No handler for type [%.*s] declared on field [%s]",
                (int)size, name, p->field->name);
}

static enum status set_format(struct field *f, const char *text, size_t size,
                              struct error *err) {
    free(f->format_text);
    date_format_free(f->format);
    f->format = NULL;
    f->format_text = strndup(text, size);
    if (!f->format_text) return fail(err, STATUS_NO_MEMORY, "no memory for a mapping");
    return date_format_new(text, size, &f->format, err);
}

static void set_dynamic(struct field *f, const char *text, size_t size) {
    if (is(text, size, "strict"))
        f->dynamic = DYNAMIC_STRICT;
    else
        f->dynamic = is(text, size, "false") ? DYNAMIC_FALSE : DYNAMIC_TRUE;
}

static enum status read_option(struct parse *p, const char *key, size_t key_size,
                               const char *text, size_t size, struct error *err) {
    struct field *f = p->field;
    bool no = is(text, size, "false");
    if (is(key, key_size, "type")) return set_type(p, text, size, err);
    if (is(key, key_size, "format")) return set_format(f, text, size, err);
    if (is(key, key_size, "dynamic")) set_dynamic(f, text, size);
    if (is(key, key_size, "enabled")) f->enabled = !no;
    if (is(key, key_size, "coerce")) f->no_coerce = no;
    if (is(key, key_size, "ignore_malformed")) f->ignore_malformed = !no;
    if (is(key, key_size, "ignore_above")) f->ignore_above = strtoul(text, NULL, 10);
    if (is(key, key_size, "scaling_factor")) f->scaling_factor = strtod(text, NULL);
    if (is(key, key_size, "date_detection")) p->m->no_date_detection = no;
    if (is(key, key_size, "numeric_detection")) p->m->numeric_detection = !no;
    return STATUS_OK;
}

static void keep_option(struct parse *p, const char *key, size_t key_size, const char *raw,
                        size_t size) {
    if (is(key, key_size, "type")) return;
    if (p->options.size) bytes_append_char(&p->options, ',');
    bytes_append_quoted(&p->options, key, key_size);
    bytes_append_char(&p->options, ':');
    bytes_append(&p->options, raw, size);
}

static enum status read_property(void *context, const char *key, size_t key_size,
                                 struct json *v, struct error *err);

static enum status read_definition_part(void *context, const char *key, size_t key_size,
                                        struct json *v, struct error *err) {
    struct parse *p = context;
    if (is(key, key_size, "properties") && json_kind_of(v) == JSON_OBJECT) {
        p->has_properties = true;
        return json_each_field(v, read_property, p, err);
    }
    enum json_kind kind = json_kind_of(v);
    const char *start = json_start(v), *text, *end;
    size_t size;
    enum status status;
    if (kind == JSON_OBJECT || kind == JSON_ARRAY || kind == JSON_NULL) {
        status = json_get_raw(v, &text, &size, err);
    } else {
        status = scalar_text(v, &text, &size, err);
        if (status == STATUS_OK) status = read_option(p, key, key_size, text, size, err);
    }
    if (status != STATUS_OK) return status;
    end = json_end(v);
    keep_option(p, key, key_size, start, (size_t)(end - start));
    return STATUS_OK;
}

static bool is_object(const struct field *f) {
    return f->type == FIELD_OBJECT || f->type == FIELD_NESTED;
}

// Finds or makes the object that a dotted name's next part names.
static enum status descend(struct mapping *m, struct field **parent, const char *name,
                           size_t size, struct error *err) {
    struct field *next = field_child(*parent, name, size);
    enum status status = STATUS_OK;
    if (!next) status = mapping_add(m, *parent, name, size, FIELD_OBJECT, NULL, &next, err);
    if (status == STATUS_OK) *parent = next;
    return status;
}

// Chooses the column once the type is known; mapping_add() did it for FIELD_OBJECT, which has
// none.
static enum status finish_field(struct parse *p, const char *definition, size_t size,
                                struct error *err) {
    struct field *f = p->field;
    if (is_object(f)) {
        if (!bytes_ok(&p->options)) return fail(err, STATUS_NO_MEMORY, "no memory");
        if (p->options.size) f->options = strndup(p->options.data, p->options.size);
    } else if (definition) {
        f->definition = strndup(definition, size);
    }
    if (!f->definition && p->options.size && !f->options)
        return fail(err, STATUS_NO_MEMORY, "no memory for a mapping");
    if (field_storage(f->type) == STORAGE_NONE || f->column != NO_COLUMN) return STATUS_OK;
    return mapping_add_column(p->m, f, err);
}

static enum status read_property(void *context, const char *key, size_t key_size,
                                 struct json *v, struct error *err) {
    struct parse *outer = context;
    struct field *parent = outer->field;
    enum status status = STATUS_OK;
    for (const char *dot; status == STATUS_OK && (dot = memchr(key, '.', key_size));) {
        status = descend(outer->m, &parent, key, (size_t)(dot - key), err);
        key_size -= (size_t)(dot - key) + 1;
        key = dot + 1;
    }
    struct parse p = {.m = outer->m};
    const char *start = json_start(v);
    if (status == STATUS_OK)
        status =
            mapping_add(outer->m, parent, key, key_size, FIELD_OBJECT, NULL, &p.field, err);
    if (status == STATUS_OK) status = json_each_field(v, read_definition_part, &p, err);
    if (status == STATUS_OK)
        status = finish_field(&p, start, (size_t)(json_end(v) - start), err);
    bytes_free(&p.options);
    return status;
}

static enum status read_root(void *context, struct json *v, struct error *err) {
    struct parse *p = context;
    enum status status = json_each_field(v, read_definition_part, p, err);
    return status == STATUS_OK ? finish_field(p, NULL, 0, err) : status;
}

static struct field *find_path(const struct mapping *m, const char *path, size_t size) {
    for (size_t i = 0; i < m->field_count; i++)
        if (is(path, size, m->fields[i]->path)) return m->fields[i];
    return NULL;
}

// Gives the fields of m the columns that they have in `before`; new ones follow behind.
static enum status keep_columns(struct mapping *m, const struct mapping *before,
                                struct error *err) {
    mapping_truncate(m, m->field_count, 0);
    for (size_t i = 0; i < before->column_count; i++) {
        const struct mapping_column *c = &before->columns[i];
        struct field *f = find_path(m, c->field->path, strlen(c->field->path));
        if (!f) return fail(err, STATUS_INVALID, "the field [%s] is gone", c->field->path);
        enum status status = mapping_put_column(m, f, c->list, c->name, err);
        if (status != STATUS_OK) return status;
    }
    for (size_t i = 0; i < m->field_count; i++) {
        struct field *f = m->fields[i];
        if (field_storage(f->type) == STORAGE_NONE || f->column != NO_COLUMN) continue;
        enum status status = mapping_add_column(m, f, err);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

enum status mapping_parse(struct json_reader *reader, const char *text, size_t size,
                          const struct mapping *before, struct mapping **out,
                          struct error *err) {
    struct mapping *m = mapping_new();
    if (!m) return fail(err, STATUS_NO_MEMORY, "no memory for a mapping");
    struct parse p = {.m = m, .field = m->fields[0]};
    enum status status = json_read_object(reader, text, size, read_root, &p, err);
    bytes_free(&p.options);
    if (status == STATUS_OK && before) status = keep_columns(m, before, err);
    if (status != STATUS_OK) {
        mapping_free(m);
        return status;
    }
    *out = m;
    return STATUS_OK;
}

// --- writing ------------------------------------------------------------------------------

static void write_field(const struct field *f, struct bytes *out) {
    if (!is_object(f)) {
        bytes_append_text(out, f->definition);
        return;
    }
    bool first = true;
    bytes_append_char(out, '{');
    if (f->parent && (f->type == FIELD_NESTED || (!f->child_count && !f->options))) {
        bytes_append_format(out, "\"type\":\"%s\"", field_type_name(f->type));
        first = false;
    }
    if (f->options) {
        bytes_append_text(out, first ? "" : ",");
        bytes_append_text(out, f->options);
        first = false;
    }
    if (f->child_count) {
        bytes_append_text(out, first ? "\"properties\":{" : ",\"properties\":{");
        for (size_t i = 0; i < f->child_count; i++) {
            if (i) bytes_append_char(out, ',');
            bytes_append_quoted(out, f->children[i]->name, f->children[i]->name_size);
            bytes_append_char(out, ':');
            write_field(f->children[i], out);
        }
        bytes_append_char(out, '}');
    }
    bytes_append_char(out, '}');
}

void mapping_write(const struct mapping *m, struct bytes *out) {
    write_field(m->fields[0], out);
}

// {"columns":[["host.name","host.name",false],...]}: path, column, whether it is the list
void mapping_write_columns(const struct mapping *m, struct bytes *out) {
    bytes_append_text(out, "{\"columns\":[");
    for (size_t i = 0; i < m->column_count; i++) {
        const struct mapping_column *c = &m->columns[i];
        bytes_append_text(out, i ? ",[" : "[");
        bytes_append_quoted(out, c->field->path, strlen(c->field->path));
        bytes_append_char(out, ',');
        bytes_append_quoted(out, c->name, strlen(c->name));
        bytes_append_text(out, c->list ? ",true]" : ",false]");
    }
    bytes_append_text(out, "]}");
}

struct column_parse {
    struct mapping *m;
    size_t part;
    struct field *field;
    struct bytes name;
};

static enum status read_column_part(void *context, struct json *v, struct error *err) {
    struct column_parse *p = context;
    const char *text = "";
    size_t size = 0;
    bool flag = false, stable;
    enum status status = json_kind_of(v) == JSON_STRING
                             ? json_get_string(v, &text, &size, &stable, err)
                             : json_get_bool(v, &flag, err);
    if (status != STATUS_OK) return status;
    switch (p->part++) {
    case 0:
        p->field = find_path(p->m, text, size);
        if (p->field) return STATUS_OK;
        return fail(err, STATUS_INVALID, "a column of an unknown field '%.*s'", (int)size,
                    text);
    case 1:
        bytes_clear(&p->name);
        bytes_append(&p->name, text, size);
        bytes_append_char(&p->name, '\0');
        return bytes_ok(&p->name) ? STATUS_OK : fail(err, STATUS_NO_MEMORY, "no memory");
    default:
        return mapping_put_column(p->m, p->field, flag, p->name.data, err);
    }
}

static enum status read_column(void *context, struct json *v, struct error *err) {
    ((struct column_parse *)context)->part = 0;
    return json_each_element(v, read_column_part, context, err);
}

static enum status read_columns(void *context, const char *key, size_t key_size, struct json *v,
                                struct error *err) {
    (void)key, (void)key_size;
    return json_each_element(v, read_column, context, err);
}

static enum status read_columns_object(void *context, struct json *v, struct error *err) {
    return json_each_field(v, read_columns, context, err);
}

enum status mapping_read_columns(struct json_reader *reader, struct mapping *m,
                                 const char *text, size_t size, struct error *err) {
    struct column_parse p = {.m = m};
    mapping_truncate(m, m->field_count, 0);
    enum status status = json_read_object(reader, text, size, read_columns_object, &p, err);
    bytes_free(&p.name);
    return status;
}
