/* job/record.c - see record.h: the reader itself, and JSON bodies.
 *
 * A body of lines is the common case: each line that looks like one object is read as it
 * stands. Where that fails, or where objects span lines, the end of the object is found by its
 * brackets, so that what is behind a malformed object is still read. */
#include "job/record.h"

#include "base/decimal.h"
#include "job/record_internal.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define USUAL_SIZE_MAX (1 << 20)  // bytes of a record that a reader keeps its memory for

struct record_reader *record_reader_new(const struct fields *fields) {
    struct record_reader *r = calloc(1, sizeof *r);
    if (!r) return NULL;
    r->fields = fields;
    r->record.values = calloc(fields->count, sizeof *r->record.values);
    r->json = json_reader_new();
    if (r->record.values && r->json) return r;
    record_reader_free(r);
    return NULL;
}

void record_reader_free(struct record_reader *r) {
    if (!r) return;
    json_reader_free(r->json);
    bytes_free(&r->path);
    bytes_free(&r->scratch);
    bytes_free(&r->padded);
    free(r->record.values);
    free(r);
}

void record_clear(struct record_reader *r) {
    for (size_t i = 0; i < r->fields->count; i++)
        r->record.values[i].kind = RECORD_ABSENT;
    r->record.seen = 0;
    bytes_clear(&r->path);
    bytes_clear(&r->scratch);
}

bool record_number(const struct record_value *value, double *number) {
    if (value->kind == RECORD_ABSENT) return false;
    if (value->kind == RECORD_TEXT) return decimal_read(value->text, value->size, number);
    *number = value->number;
    return isfinite(value->number);
}

// --- one object ------------------------------------------------------------------------------

static const char *const boolean_text[] = {"false", "true"};

// Reads a scalar; its text lives as long as the record.
static enum status read_scalar(struct json *v, struct record_value *out, struct error *err) {
    struct json_number number = {0};
    bool boolean = false, stable;
    enum status status;
    *out = (struct record_value){.kind = RECORD_TEXT, .text = ""};
    switch (json_kind_of(v)) {
    case JSON_NUMBER:
        status = json_get_number(v, &number, err);
        out->kind = number.fits ? RECORD_INTEGER : RECORD_NUMBER;
        out->text = number.digits;
        out->size = number.digits_size;
        out->number = number.number;
        out->integer = number.integer;
        return status;
    case JSON_STRING:
        return json_get_string(v, &out->text, &out->size, &stable, err);
    case JSON_BOOL:
        status = json_get_bool(v, &boolean, err);
        out->text = boolean_text[boolean];
        out->size = strlen(out->text);
        return status;
    default:
        return json_get_null(v, err);
    }
}

// An array on its way into one text.
struct joining {
    struct record_reader *r;
    size_t elements;
    bool scalars;  // no array or object among them
};

static enum status join_element(void *context, struct json *v, struct error *err) {
    struct joining *j = context;
    enum json_kind kind = json_kind_of(v);
    if (kind == JSON_OBJECT || kind == JSON_ARRAY) {
        j->scalars = false;
        return json_skip(v, err);
    }
    struct record_value value;
    enum status status = read_scalar(v, &value, err);
    if (status != STATUS_OK) return status;
    if (j->elements++) bytes_append_char(&j->r->scratch, ',');
    bytes_append(&j->r->scratch, value.text, value.size);
    return STATUS_OK;
}

// Joined texts are kept as places in scratch, which may still move: see settle().
static enum status read_array(struct record_reader *r, uint32_t field, struct json *v,
                              struct error *err) {
    size_t start = r->scratch.size;
    struct joining j = {.r = r, .scalars = true};
    enum status status = json_each_element(v, join_element, &j, err);
    if (status != STATUS_OK || !j.scalars) return status;
    r->record.seen++;
    if (field == FIELD_NONE) r->scratch.size = start;
    if (field == FIELD_NONE) return STATUS_OK;
    r->record.values[field] = (struct record_value){
        .kind = RECORD_TEXT,
        .text = "",
        .size = r->scratch.size - start,
        .integer = (int64_t)start + 1,
    };
    return STATUS_OK;
}

static enum status read_field(void *context, const char *key, size_t key_size,
                              struct json *value, struct error *err);

static enum status read_value(struct record_reader *r, const char *name, size_t name_size,
                              struct json *v, struct error *err) {
    uint32_t field = field_find(r->fields, name, name_size);
    if (json_kind_of(v) == JSON_ARRAY) return read_array(r, field, v, err);
    r->record.seen++;
    if (field == FIELD_NONE) return json_skip(v, err);
    return read_scalar(v, &r->record.values[field], err);
}

// A field of the object whose dotted name is in r->path.
static enum status read_field(void *context, const char *key, size_t key_size,
                              struct json *value, struct error *err) {
    struct record_reader *r = context;
    bool nested = json_kind_of(value) == JSON_OBJECT;
    if (r->path.size == 0 && !nested) return read_value(r, key, key_size, value, err);
    size_t outer = r->path.size;
    bytes_append(&r->path, key, key_size);
    if (nested) bytes_append_char(&r->path, '.');
    if (!bytes_ok(&r->path)) return fail(err, STATUS_NO_MEMORY, "no memory for a field name");
    enum status status = nested ? json_each_field(value, read_field, r, err)
                                : read_value(r, r->path.data, r->path.size, value, err);
    r->path.size = outer;
    return status;
}

static enum status read_fields(void *context, struct json *v, struct error *err) {
    if (json_kind_of(v) != JSON_OBJECT) return fail(err, STATUS_INVALID, "not an object");
    return json_each_field(v, read_field, context, err);
}

// Gives joined arrays their texts, now that scratch stays where it is.
static void settle(struct record_reader *r) {
    if (r->scratch.size == 0 && !r->scratch.data) return;
    for (size_t i = 0; i < r->fields->count; i++) {
        struct record_value *v = &r->record.values[i];
        if (v->kind == RECORD_TEXT && v->integer > 0)
            v->text = r->scratch.data ? r->scratch.data + v->integer - 1 : "";
    }
}

// --- a body of objects -----------------------------------------------------------------------

// One walk over a body.
struct walk {
    struct record_reader *r;
    const char *at, *end;
    const char *split;  // up to here a line holds more, or less, than one object
    record_fn *use;
    void *context;
};

// Reads the object in [start, stop). STATUS_INVALID: it is malformed.
static enum status read_object(struct walk *w, const char *start, const char *stop,
                               struct error *err) {
    struct record_reader *r = w->r;
    size_t size = (size_t)(stop - start);
    if (size > r->largest) r->largest = size;
    if ((size_t)(w->end - stop) < JSON_PADDING) {
        bytes_clear(&r->padded);
        char *copy = bytes_reserve(&r->padded, size + JSON_PADDING);
        if (!copy) return fail(err, STATUS_NO_MEMORY, "no memory for a record");
        memcpy(copy, start, size);
        memset(copy + size, 0, JSON_PADDING);
        start = copy;
    }
    record_clear(r);
    enum status status = json_read_object(r->json, start, size, read_fields, r, err);
    if (status != STATUS_OK) return status == STATUS_NO_MEMORY ? status : STATUS_INVALID;
    if (!bytes_ok(&r->scratch)) return fail(err, STATUS_NO_MEMORY, "no memory for a record");
    settle(r);
    return STATUS_OK;
}

static enum status count_failure(struct walk *w, struct error *err) {
    if (++w->r->failures <= RECORD_FAILURES_MAX) return STATUS_OK;
    return fail(err, STATUS_INVALID, "The input JSON data is malformed.");
}

// What may stand between objects; a closing bracket too, which a malformed one may leave
// behind.
static bool is_between(char c) { return c != '\0' && strchr(" \n\r\t,[]}", c); }

static bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// The end of the line that begins at w->at, without the spaces and the comma before it, if it
// looks like one object; else NULL. A line is looked at once: it may hold a million objects.
static const char *whole_line(struct walk *w) {
    if (w->at < w->split) return NULL;
    const char *line = memchr(w->at, '\n', (size_t)(w->end - w->at));
    const char *stop = line ? line : w->end;
    w->split = stop;
    while (stop > w->at && (is_space(stop[-1]) || stop[-1] == ','))
        stop--;
    bool object = stop - w->at >= 2 && stop[-1] == '}';
    return object && stop - w->at <= USUAL_SIZE_MAX ? stop : NULL;
}

// The end of the object that begins at w->at, found by its brackets; NULL when a string runs
// into a line's end or the object does not end in RECORD_SIZE_MAX bytes.
static const char *object_end(const struct walk *w) {
    const char *end = w->end;
    if ((size_t)(end - w->at) > RECORD_SIZE_MAX) end = w->at + RECORD_SIZE_MAX;
    size_t depth = 0;
    bool quoted = false;
    for (const char *p = w->at; p < end; p++) {
        if (quoted) {
            if (*p == '\n') return NULL;
            if (*p == '\\')
                p++;
            else if (*p == '"')
                quoted = false;
        } else if (*p == '"') {
            quoted = true;
        } else if (*p == '{' || *p == '[') {
            depth++;
        } else if ((*p == '}' || *p == ']') && --depth == 0) {
            return p + 1;
        }
    }
    return NULL;
}

// Goes to where the next object may begin: behind the next line's end.
static void skip_line(struct walk *w) {
    const char *line = memchr(w->at, '\n', (size_t)(w->end - w->at));
    w->at = line ? line + 1 : w->end;
}

// Reads the object at w->at, which may not end with its line, and goes behind it.
static enum status take_by_brackets(struct walk *w, struct error *err) {
    const char *stop = object_end(w);
    if (!stop) {
        skip_line(w);
        return count_failure(w, err);
    }
    enum status status = read_object(w, w->at, stop, err);
    w->at = stop;
    if (status == STATUS_OK) return w->use(w->context, &w->r->record, err);
    return status == STATUS_INVALID ? count_failure(w, err) : status;
}

static enum status take_object(struct walk *w, struct error *err) {
    const char *stop = whole_line(w);
    if (!stop) return take_by_brackets(w, err);
    enum status status = read_object(w, w->at, stop, err);
    if (status == STATUS_INVALID) return take_by_brackets(w, err);
    if (status != STATUS_OK) return status;
    w->at = stop;
    return w->use(w->context, &w->r->record, err);
}

// Passes over what is neither an object nor a separator, up to where either may come again.
static enum status skip_garbage(struct walk *w, struct error *err) {
    while (w->at < w->end && *w->at != '{' && *w->at != '\n')
        w->at++;
    return count_failure(w, err);
}

// Gives back what huge records took, a dozen times their size, if it can.
static void shrink(struct record_reader *r) {
    struct json_reader *fresh = r->largest > USUAL_SIZE_MAX ? json_reader_new() : NULL;
    if (!fresh) return;
    json_reader_free(r->json);
    r->json = fresh;
    r->largest = 0;
    bytes_free(&r->padded);
    bytes_free(&r->scratch);
}

enum status record_read_json(struct record_reader *r, const char *body, size_t size,
                             record_fn *use, void *context, struct error *err) {
    struct walk w = {
        .r = r, .at = body, .end = body + size, .split = body, .use = use, .context = context};
    enum status status = STATUS_OK;
    r->failures = 0;
    while (status == STATUS_OK && w.at < w.end) {
        if (*w.at == '{')
            status = take_object(&w, err);
        else if (is_between(*w.at))
            w.at++;
        else
            status = skip_garbage(&w, err);
    }
    shrink(r);
    return status;
}
