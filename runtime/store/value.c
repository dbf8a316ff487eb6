/* store/value.c - see value.h. */
#include "store/value.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum status scalar_read(struct json *v, struct scalar *out, struct error *err) {
    out->kind = json_kind_of(v);
    out->stable = true;
    enum status status;
    switch (out->kind) {
    case JSON_STRING:
        return json_get_string(v, &out->text, &out->size, &out->stable, err);
    case JSON_NUMBER:
        status = json_get_number(v, &out->number, err);
        out->text = out->number.digits;
        out->size = out->number.digits_size;
        return status;
    default:
        status = json_get_bool(v, &out->boolean, err);
        if (status != STATUS_OK) return status;
        out->text = out->boolean ? "true" : "false";
        out->size = strlen(out->text);
        return status;
    }
}

// A text that is all of one number, as Java's parseDouble() takes it.
static bool text_number(const char *text, size_t size, double *out) {
    char digits[64], *end;
    if (size == 0 || size >= sizeof digits) return false;
    memcpy(digits, text, size);
    digits[size] = '\0';
    if (strpbrk(digits, "xXpP")) return false;
    *out = strtod(digits, &end);
    while (isspace((unsigned char)*end))
        end++;
    return end != digits && *end == '\0';
}

static bool text_integer(const char *text, size_t size, int64_t *out) {
    bool negative = size && *text == '-';
    size_t at = negative || (size && *text == '+');
    if (at == size || size - at > 18) return false;  // longer ones go the slow way
    int64_t value = 0;
    for (; at < size; at++) {
        if (!isdigit((unsigned char)text[at])) return false;
        value = value * 10 + (text[at] - '0');
    }
    *out = negative ? -value : value;
    return true;
}

enum field_type scalar_type(const struct mapping *m, const struct scalar *s,
                            const char **format) {
    double number;
    int64_t integer;
    *format = NULL;
    if (s->kind == JSON_BOOL) return FIELD_BOOLEAN;
    if (s->kind == JSON_NUMBER) return s->number.is_integer ? FIELD_LONG : FIELD_FLOAT;
    if (!m->no_date_detection && date_detect(s->text, s->size, format)) return FIELD_DATE;
    if (m->numeric_detection && text_integer(s->text, s->size, &integer)) return FIELD_LONG;
    if (m->numeric_detection && text_number(s->text, s->size, &number)) return FIELD_FLOAT;
    return FIELD_TEXT;
}

static enum status misfit_is(struct misfit *m, const char *type, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static enum status misfit_is(struct misfit *m, const char *type, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(m->reason, sizeof m->reason, format, args);
    va_end(args);
    m->type = type;
    m->with_cause = false;
    return STATUS_INVALID;
}

// printf arguments for a text that may be long
#define SHOWN(s) (int)((s)->size < 200 ? (s)->size : 200), (s)->text

static enum status not_a_number(struct misfit *m, const struct scalar *s) {
    if (s->kind == JSON_BOOL)
        return misfit_is(m, "json_parse_exception",
                         "Current token (VALUE_%s) not numeric, can not use numeric value "
                         "accessors",
                         s->boolean ? "TRUE" : "FALSE");
    return misfit_is(m, "illegal_argument_exception", "For input string: \"%.*s\"", SHOWN(s));
}

// --- whole numbers ------------------------------------------------------------------------

static void integer_range(enum field_type type, int64_t *least, int64_t *most) {
    *least = type == FIELD_BYTE      ? INT8_MIN
             : type == FIELD_SHORT   ? INT16_MIN
             : type == FIELD_INTEGER ? INT32_MIN
                                     : INT64_MIN;
    *most = -(*least + 1);
}

static enum status out_of_range(struct misfit *m, const struct field *f,
                                const struct scalar *s) {
    const char *exception = "input_coercion_exception";
    switch (f->type) {
    case FIELD_BYTE:
        return misfit_is(m, "illegal_argument_exception",
                         "Value [%.*s] is out of range for a byte", SHOWN(s));
    case FIELD_SHORT:
        return misfit_is(m, exception, "Numeric value (%.*s) out of range of Java short",
                         SHOWN(s));
    case FIELD_INTEGER:
        return misfit_is(m, exception,
                         "Numeric value (%.*s) out of range of int (-2147483648 - 2147483647)",
                         SHOWN(s));
    default:
        return misfit_is(m, exception,
                         "Numeric value (%.*s) out of range of long (-9223372036854775808 - "
                         "9223372036854775807)",
                         SHOWN(s));
    }
}

static enum status add_integer(struct batch *b, struct field *f, const struct scalar *s,
                               struct misfit *m, struct error *err) {
    int64_t value = 0, least, most;
    double number = s->number.number;
    bool whole = s->kind == JSON_NUMBER && s->number.fits;
    if (whole) value = s->number.integer;
    if (s->kind == JSON_STRING && !f->no_coerce && s->size == 0) return STATUS_OK;
    if (s->kind == JSON_STRING && !f->no_coerce) whole = text_integer(s->text, s->size, &value);
    if (!whole) {
        bool text = s->kind == JSON_STRING && !f->no_coerce;
        if (s->kind == JSON_BOOL || (s->kind == JSON_STRING && !text) ||
            (text && !text_number(s->text, s->size, &number)) || isnan(number))
            return not_a_number(m, s);
        if (f->no_coerce)
            return misfit_is(m, "illegal_argument_exception",
                             "%.*s cannot be converted to %s without data loss", SHOWN(s),
                             field_type_name(f->type));
        if (!(number >= -0x1p63 && number < 0x1p63)) return out_of_range(m, f, s);
        value = (int64_t)number;
    }
    integer_range(f->type, &least, &most);
    if (value < least || value > most) return out_of_range(m, f, s);
    return batch_add_int(b, f, value, err);
}

// --- fractions ----------------------------------------------------------------------------

static enum status add_double(struct batch *b, struct field *f, const struct scalar *s,
                              struct misfit *m, struct error *err) {
    double value = s->number.number;
    if (s->kind == JSON_STRING && !f->no_coerce && s->size == 0) return STATUS_OK;
    if (s->kind == JSON_BOOL ||
        (s->kind == JSON_STRING && (f->no_coerce || !text_number(s->text, s->size, &value))))
        return not_a_number(m, s);
    double largest = f->type == FIELD_HALF_FLOAT ? 65504
                     : f->type == FIELD_FLOAT    ? 0x1p128
                                                 : INFINITY;
    if (!isfinite(value) || fabs(value) >= largest)
        return misfit_is(m, "illegal_argument_exception",
                         "[%s] supports only finite values, but got [%s]",
                         field_type_name(f->type),
                         isnan(value) ? "NaN"
                         : value > 0  ? "Infinity"
                                      : "-Infinity");
    if (f->type == FIELD_SCALED_FLOAT && f->scaling_factor > 0)
        value = round(value * f->scaling_factor) / f->scaling_factor;
    return batch_add_double(b, f, value, err);
}

// --- the others ---------------------------------------------------------------------------

static enum status add_bool(struct batch *b, struct field *f, const struct scalar *s,
                            struct misfit *m, struct error *err) {
    if (s->kind == JSON_BOOL) return batch_add_bool(b, f, s->boolean, err);
    if (s->kind == JSON_NUMBER)
        return misfit_is(m, "json_parse_exception",
                         "Current token (VALUE_NUMBER_%s) not of boolean type",
                         s->number.is_integer ? "INT" : "FLOAT");
    if (s->size == 4 && memcmp(s->text, "true", 4) == 0) return batch_add_bool(b, f, true, err);
    if (s->size == 0 || (s->size == 5 && memcmp(s->text, "false", 5) == 0))
        return batch_add_bool(b, f, false, err);
    return misfit_is(m, "illegal_argument_exception",
                     "Failed to parse value [%.*s] as only [true] or [false] are allowed.",
                     SHOWN(s));
}

static enum status add_date(struct batch *b, struct field *f, const struct scalar *s,
                            struct misfit *m, struct error *err) {
    int64_t ms;
    if (date_parse(f->format, s->text, s->size, &ms))
        return batch_add_int(b, f, ms * 1000, err);
    misfit_is(m, "illegal_argument_exception",
              "failed to parse date field [%.*s] with format [%s]", SHOWN(s),
              f->format_text ? f->format_text : DATE_DEFAULT_FORMAT);
    m->with_cause = true;
    return STATUS_INVALID;
}

static bool is_address(const struct scalar *s) {
    char text[INET6_ADDRSTRLEN];
    unsigned char address[16];
    if (s->size >= sizeof text) return false;
    memcpy(text, s->text, s->size);
    text[s->size] = '\0';
    return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

static size_t count_characters(const char *text, size_t size) {
    size_t count = 0;
    for (size_t i = 0; i < size; i++)
        count += ((unsigned char)text[i] & 0xC0) != 0x80;  // continuation bytes do not count
    return count;
}

static enum status add_text(struct batch *b, struct field *f, const struct scalar *s,
                            struct misfit *m, struct error *err) {
    if (f->type == FIELD_IP && !is_address(s))
        return misfit_is(m, "illegal_argument_exception", "'%.*s' is not an IP string literal.",
                         SHOWN(s));
    if (f->ignore_above && s->size > f->ignore_above &&
        count_characters(s->text, s->size) > f->ignore_above)
        return STATUS_OK;
    const char *text = s->text;
    if (!s->stable && s->size > sizeof(((duckdb_string_t *)0)->value.inlined.inlined)) {
        text = batch_keep(b, s->text, s->size);
        if (!text) return fail(err, STATUS_NO_MEMORY, "no memory for a batch of documents");
    }
    return batch_add_text(b, f, batch_text(text, s->size), err);
}

enum status value_add(struct batch *b, struct field *f, const struct scalar *s,
                      struct misfit *misfit, struct error *err) {
    switch (field_storage(f->type)) {
    case STORAGE_INT:
        return add_integer(b, f, s, misfit, err);
    case STORAGE_DOUBLE:
        return add_double(b, f, s, misfit, err);
    case STORAGE_BOOL:
        return add_bool(b, f, s, misfit, err);
    case STORAGE_TIME:
        return add_date(b, f, s, misfit, err);
    case STORAGE_TEXT:
        return add_text(b, f, s, misfit, err);
    case STORAGE_NONE:
        break;
    }
    return STATUS_OK;
}
