/* base/text.c - see text.h. */
#include "base/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void text_free(struct text *t) {
    free(t->bytes);
    *t = (struct text){0};
}

// Room for `size` more bytes; false when there is none.
static bool reserve(struct text *t, size_t size) {
    if (t->exhausted) return false;
    if (size <= t->capacity - t->size) return true;
    size_t capacity = t->capacity ? t->capacity : 256;
    while (capacity - t->size < size)
        capacity *= 2;
    char *bytes = realloc(t->bytes, capacity);
    if (!bytes) {
        t->exhausted = true;
        return false;
    }
    t->bytes = bytes;
    t->capacity = capacity;
    return true;
}

void text_append(struct text *t, const char *bytes, size_t size) {
    if (!size || !reserve(t, size)) return;
    memcpy(t->bytes + t->size, bytes, size);
    t->size += size;
}

void text_append_string(struct text *t, const char *string) {
    text_append(t, string, strlen(string));
}

void text_format(struct text *t, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (size > 0 && reserve(t, (size_t)size + 1)) {
        vsnprintf(t->bytes + t->size, (size_t)size + 1, format, again);
        t->size += (size_t)size;
    }
    va_end(again);
}

void text_append_int(struct text *t, int64_t value) {
    char digits[20];
    size_t at = sizeof digits;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (value < 0) digits[--at] = '-';
    text_append(t, digits + at, sizeof digits - at);
}

void text_append_double(struct text *t, double value) {
    if (!isfinite(value)) {
        text_append_string(t, "null");
        return;
    }
    char digits[32];
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, value);
        if (strtod(digits, NULL) == value) break;
    }
    text_append_string(t, digits);
    if (!strpbrk(digits, ".e")) text_append_string(t, ".0");
}

// Appends one character of a JSON string that cannot stand as it is.
static void append_escaped(struct text *t, unsigned char c) {
    static const char short_form[] = {['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r',
                                      ['\t'] = 't', ['"'] = '"',  ['\\'] = '\\'};
    if (c < sizeof short_form && short_form[c])
        text_append(t, (char[]){'\\', short_form[c]}, 2);
    else
        text_format(t, "\\u%04x", c);
}

void text_append_json(struct text *t, const char *bytes, size_t size) {
    text_append(t, "\"", 1);
    size_t plain = 0;  // start of the run that needs no escape
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c >= 0x20 && c != '"' && c != '\\') continue;
        text_append(t, bytes + plain, i - plain);
        append_escaped(t, c);
        plain = i + 1;
    }
    text_append(t, bytes + plain, size - plain);
    text_append(t, "\"", 1);
}

const char *text_string(struct text *t) {
    if (!reserve(t, 1)) return "";
    t->bytes[t->size] = '\0';
    return t->bytes;
}

enum status text_status(const struct text *t, struct error *err) {
    if (t->exhausted) return fail(err, STATUS_NO_MEMORY, "no memory for a longer text");
    return STATUS_OK;
}
