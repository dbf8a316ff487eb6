/* store/mapping.c - see mapping.h: the tree of fields and the list of columns. */
#include "store/mapping.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *name;
    enum storage storage;
} types[] = {
    [FIELD_OBJECT] = {"object", STORAGE_NONE},
    [FIELD_NESTED] = {"nested", STORAGE_TEXT},  // the JSON of its objects
    [FIELD_ALIAS] = {"alias", STORAGE_NONE},
    [FIELD_LONG] = {"long", STORAGE_INT},
    [FIELD_INTEGER] = {"integer", STORAGE_INT},
    [FIELD_SHORT] = {"short", STORAGE_INT},
    [FIELD_BYTE] = {"byte", STORAGE_INT},
    [FIELD_UNSIGNED_LONG] = {"unsigned_long", STORAGE_DOUBLE},
    [FIELD_DOUBLE] = {"double", STORAGE_DOUBLE},
    [FIELD_FLOAT] = {"float", STORAGE_DOUBLE},
    [FIELD_HALF_FLOAT] = {"half_float", STORAGE_DOUBLE},
    [FIELD_SCALED_FLOAT] = {"scaled_float", STORAGE_DOUBLE},
    [FIELD_BOOLEAN] = {"boolean", STORAGE_BOOL},
    [FIELD_DATE] = {"date", STORAGE_TIME},
    [FIELD_DATE_NANOS] = {"date_nanos", STORAGE_TIME},
    [FIELD_TEXT] = {"text", STORAGE_TEXT},
    [FIELD_MATCH_ONLY_TEXT] = {"match_only_text", STORAGE_TEXT},
    [FIELD_KEYWORD] = {"keyword", STORAGE_TEXT},
    [FIELD_CONSTANT_KEYWORD] = {"constant_keyword", STORAGE_TEXT},
    [FIELD_WILDCARD] = {"wildcard", STORAGE_TEXT},
    [FIELD_IP] = {"ip", STORAGE_TEXT},
    [FIELD_BINARY] = {"binary", STORAGE_TEXT},
    [FIELD_GEO_POINT] = {"geo_point", STORAGE_TEXT},
    [FIELD_FLAT_OBJECT] = {"flat_object", STORAGE_TEXT},
};

const char *field_type_name(enum field_type type) { return types[type].name; }
enum storage field_storage(enum field_type type) { return types[type].storage; }

bool field_type_find(const char *name, size_t size, enum field_type *out) {
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strlen(types[i].name) != size || memcmp(types[i].name, name, size) != 0) continue;
        *out = (enum field_type)i;
        return true;
    }
    return false;
}

// --- growing ------------------------------------------------------------------------------

// Room for one more element in an array; the same array or NULL.
static void *grow(void *array, size_t count, size_t *capacity, size_t element_size) {
    if (count < *capacity) return array;
    size_t wanted = *capacity ? *capacity * 2 : 8;
    void *grown = realloc(array, wanted * element_size);
    if (grown) *capacity = wanted;
    return grown;
}

static enum status no_memory(struct error *err) {
    fail(err, STATUS_NO_MEMORY, "no memory for a mapping");
    return STATUS_NO_MEMORY;
}

static void field_free(struct field *f) {
    if (!f) return;
    free(f->name);
    free(f->path);
    date_format_free(f->format);
    free(f->format_text);
    free(f->definition);
    free(f->options);
    free(f->children);
    free(f);
}

static struct field *field_new(const struct field *parent, const char *name, size_t size) {
    struct field *f = calloc(1, sizeof *f);
    if (!f) return NULL;
    size_t prefix = parent && *parent->path ? strlen(parent->path) + 1 : 0;
    f->name = strndup(name, size);
    f->name_size = size;
    f->path = malloc(prefix + size + 1);
    f->column = f->list = NO_COLUMN;
    f->enabled = true;
    if (!f->name || !f->path) {
        field_free(f);
        return NULL;
    }
    if (prefix) snprintf(f->path, prefix + 1, "%s.", parent->path);
    memcpy(f->path + prefix, name, size);
    f->path[prefix + size] = '\0';
    return f;
}

// Puts a field behind the others and under its parent.
static enum status attach(struct mapping *m, struct field *parent, struct field *f,
                          struct error *err) {
    void *fields = grow(m->fields, m->field_count, &m->field_capacity, sizeof *m->fields);
    if (!fields) return no_memory(err);
    m->fields = fields;
    if (parent) {
        void *children = grow(parent->children, parent->child_count, &parent->child_capacity,
                              sizeof(struct field *));
        if (!children) return no_memory(err);
        parent->children = children;
        parent->children[parent->child_count++] = f;
    }
    f->parent = parent;
    f->index = m->field_count;
    m->fields[m->field_count++] = f;
    return STATUS_OK;
}

// SQL names ignore case and the four columns of every table are taken.
static bool column_taken(const struct mapping *m, const char *name) {
    static const char *const reserved[] = {"_id", "_seq_no", "_version", "_source", "rowid"};
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        if (strcasecmp(reserved[i], name) == 0) return true;
    for (size_t i = 0; i < m->column_count; i++)
        if (strcasecmp(m->columns[i].name, name) == 0) return true;
    return false;
}

static char *choose_column_name(const struct mapping *m, const char *path, bool list) {
    size_t size = strlen(path) + 32;
    char *name = malloc(size);
    if (!name) return NULL;
    snprintf(name, size, "%s%s", path, list ? "[]" : "");
    for (unsigned n = 2; column_taken(m, name); n++)
        snprintf(name, size, "%s%s~%u", path, list ? "[]" : "", n);
    return name;
}

static enum status add_column(struct mapping *m, struct field *f, bool list, char *name,
                              struct error *err) {
    void *columns =
        name ? grow(m->columns, m->column_count, &m->column_capacity, sizeof *m->columns)
             : NULL;
    if (!columns) {
        free(name);
        return no_memory(err);
    }
    m->columns = columns;
    *(list ? &f->list : &f->column) = m->column_count;
    m->columns[m->column_count++] = (struct mapping_column){f, list, name};
    return STATUS_OK;
}

enum status mapping_add_column(struct mapping *m, struct field *f, struct error *err) {
    assert(f->column == NO_COLUMN);
    return add_column(m, f, false, choose_column_name(m, f->path, false), err);
}

enum status mapping_add_list(struct mapping *m, struct field *f, struct error *err) {
    assert(f->list == NO_COLUMN);
    return add_column(m, f, true, choose_column_name(m, f->path, true), err);
}

enum status mapping_put_column(struct mapping *m, struct field *f, bool list, const char *name,
                               struct error *err) {
    return add_column(m, f, list, strdup(name), err);
}

// What GET _mapping shows of a field that came with a document.
static const char *dynamic_definition(enum field_type type) {
    switch (type) {
    case FIELD_LONG:
        return "{\"type\":\"long\"}";
    case FIELD_FLOAT:
        return "{\"type\":\"float\"}";
    case FIELD_BOOLEAN:
        return "{\"type\":\"boolean\"}";
    case FIELD_DATE:
        return "{\"type\":\"date\"}";
    case FIELD_TEXT:
        return "{\"type\":\"text\",\"fields\":"
               "{\"keyword\":{\"type\":\"keyword\",\"ignore_above\":256}}}";
    default:
        return NULL;
    }
}

enum status mapping_add(struct mapping *m, struct field *parent, const char *name, size_t size,
                        enum field_type type, const char *definition, struct field **out,
                        struct error *err) {
    struct field *f = field_new(parent, name, size);
    if (!f) return no_memory(err);
    f->type = type;
    if (!definition) definition = dynamic_definition(type);
    if (definition) f->definition = strdup(definition);
    if (attach(m, parent, f, err) != STATUS_OK) {
        field_free(f);
        return STATUS_NO_MEMORY;
    }
    if (field_storage(type) != STORAGE_NONE && mapping_add_column(m, f, err) != STATUS_OK) {
        mapping_truncate(m, m->field_count - 1, m->column_count);
        return STATUS_NO_MEMORY;
    }
    *out = f;
    return STATUS_OK;
}

void mapping_truncate(struct mapping *m, size_t field_count, size_t column_count) {
    while (m->column_count > column_count) {
        struct mapping_column *c = &m->columns[--m->column_count];
        *(c->list ? &c->field->list : &c->field->column) = NO_COLUMN;
        free(c->name);
    }
    while (m->field_count > field_count) {
        struct field *f = m->fields[--m->field_count];
        if (f->parent) {
            f->parent->child_count--;
            f->parent->next_child = 0;
        }
        field_free(f);
    }
}

// --- whole mappings -----------------------------------------------------------------------

struct mapping *mapping_new(void) {
    struct mapping *m = calloc(1, sizeof *m);
    struct field *root = m ? field_new(NULL, "", 0) : NULL;
    if (!root || attach(m, NULL, root, NULL) != STATUS_OK) {
        field_free(root);
        free(m);
        return NULL;
    }
    root->dynamic = DYNAMIC_TRUE;
    m->field_limit = 1000;
    m->depth_limit = 20;
    return m;
}

void mapping_free(struct mapping *m) {
    if (!m) return;
    mapping_truncate(m, 0, 0);
    free(m->fields);
    free(m->columns);
    free(m);
}

// NULL stays NULL; *lost tells that a copy failed.
static char *copy_text(const char *text, bool *lost) {
    char *copy = text ? strdup(text) : NULL;
    *lost |= text && !copy;
    return copy;
}

static bool copy_field(struct mapping *m, const struct field *from) {
    struct field *parent = from->parent ? m->fields[from->parent->index] : NULL;
    struct field *f = field_new(from->parent, from->name, from->name_size);
    bool lost = !f;
    if (lost) return false;
    f->type = from->type;
    f->dynamic = from->dynamic;
    f->enabled = from->enabled;
    f->no_coerce = from->no_coerce;
    f->ignore_malformed = from->ignore_malformed;
    f->ignore_above = from->ignore_above;
    f->scaling_factor = from->scaling_factor;
    f->format_text = copy_text(from->format_text, &lost);
    f->definition = copy_text(from->definition, &lost);
    f->options = copy_text(from->options, &lost);
    if (f->format_text)
        lost |= date_format_new(f->format_text, strlen(f->format_text), &f->format, NULL) != 0;
    if (lost || attach(m, parent, f, NULL) != STATUS_OK) {
        field_free(f);
        return false;
    }
    return true;
}

struct mapping *mapping_copy(const struct mapping *from) {
    struct mapping *m = calloc(1, sizeof *m);
    if (!m) return NULL;
    m->fields = calloc(from->field_count, sizeof(struct field *));
    bool lost = !m->fields;
    if (!lost) m->field_capacity = from->field_count;
    for (size_t i = 0; i < from->field_count && !lost; i++)
        lost = !copy_field(m, from->fields[i]);
    for (size_t i = 0; i < from->column_count && !lost; i++) {
        const struct mapping_column *c = &from->columns[i];
        lost = add_column(m, m->fields[c->field->index], c->list, strdup(c->name), NULL) != 0;
    }
    if (lost) {
        mapping_free(m);
        return NULL;
    }
    m->no_date_detection = from->no_date_detection;
    m->numeric_detection = from->numeric_detection;
    m->field_limit = from->field_limit;
    m->depth_limit = from->depth_limit;
    return m;
}

struct field *field_child(struct field *parent, const char *name, size_t size) {
    for (size_t i = 0; i < parent->child_count; i++) {
        size_t at = parent->next_child + i;
        if (at >= parent->child_count) at -= parent->child_count;
        struct field *f = parent->children[at];
        if (f->name_size != size || memcmp(f->name, name, size) != 0) continue;
        parent->next_child = at + 1 < parent->child_count ? at + 1 : 0;
        return f;
    }
    return NULL;
}

enum dynamic field_dynamic(const struct field *f) {
    while (f->dynamic == DYNAMIC_INHERIT && f->parent)
        f = f->parent;
    return f->dynamic == DYNAMIC_INHERIT ? DYNAMIC_TRUE : f->dynamic;
}
