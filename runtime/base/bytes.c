/* base/bytes.c - see bytes.h. */
#include "base/bytes.h"

#include "base/decimal.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void bytes_free(struct bytes *b) {
    free(b->data);
    *b = (struct bytes){0};
}

void bytes_clear(struct bytes *b) {
    b->size = 0;
    b->failed = false;
}

bool bytes_ok(const struct bytes *b) { return !b->failed; }

char *bytes_reserve(struct bytes *b, size_t more) {
    if (b->failed) return NULL;
    if (more <= b->capacity - b->size && b->data) return b->data + b->size;
    size_t capacity = b->capacity ? b->capacity : 256;
    while (capacity - b->size < more) {
        if (capacity > SIZE_MAX / 2) {
            b->failed = true;
            return NULL;
        }
        capacity *= 2;
    }
    char *data = realloc(b->data, capacity);
    if (!data) {
        b->failed = true;
        return NULL;
    }
    b->data = data;
    b->capacity = capacity;
    return data + b->size;
}

void bytes_append(struct bytes *b, const void *data, size_t size) {
    char *end = bytes_reserve(b, size);
    if (!end || size == 0) return;
    memcpy(end, data, size);
    b->size += size;
}

void bytes_append_text(struct bytes *b, const char *text) {
    bytes_append(b, text, strlen(text));
}

void bytes_append_char(struct bytes *b, char c) { bytes_append(b, &c, 1); }

void bytes_append_format(struct bytes *b, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, args);
    char *end = size < 0 ? NULL : bytes_reserve(b, (size_t)size + 1);
    if (end) {
        vsnprintf(end, (size_t)size + 1, format, again);
        b->size += (size_t)size;
    }
    va_end(again);
    va_end(args);
}

void bytes_append_int(struct bytes *b, int64_t value) {
    char digits[24], *first = digits + sizeof digits;
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
    do
        *--first = (char)('0' + rest % 10);
    while (rest /= 10);
    if (value < 0) *--first = '-';
    bytes_append(b, first, (size_t)(digits + sizeof digits - first));
}

void bytes_append_double(struct bytes *b, double value) {
    if (!isfinite(value)) {
        bytes_append(b, "null", 4);
        return;
    }
    char *end = bytes_reserve(b, DECIMAL_SIZE);
    if (end) b->size += decimal_write(end, value);
}

// The two-character escape of a byte below 0x20, '"' or '\\'; 0 when it has none.
static char short_escape(unsigned char c) {
    switch (c) {
    case '"':
    case '\\':
        return (char)c;
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return 0;
    }
}

static void append_escape(struct bytes *b, unsigned char c) {
    char letter = short_escape(c);
    if (letter)
        bytes_append(b, (char[]){'\\', letter}, 2);
    else if (c >= 0x80)
        bytes_append_text(b, "\xef\xbf\xbd");
    else
        bytes_append_format(b, "\\u%04x", c);
}

// The length of the UTF-8 sequence at the start of a text, 0 when it is none (RFC 3629).
static size_t sequence_length(const unsigned char *text, size_t size) {
    unsigned char c = text[0], low = 0x80, high = 0xbf;
    size_t length = c >= 0xc2 && c <= 0xdf   ? 2
                    : (c & 0xf0) == 0xe0     ? 3
                    : c >= 0xf0 && c <= 0xf4 ? 4
                                             : 0;
    if (length == 0 || length > size) return 0;
    if (c == 0xe0) low = 0xa0;   // no longer form than needed
    if (c == 0xed) high = 0x9f;  // no surrogates
    if (c == 0xf0) low = 0x90;
    if (c == 0xf4) high = 0x8f;  // nothing above U+10FFFF
    if (text[1] < low || text[1] > high) return 0;
    for (size_t i = 2; i < length; i++)
        if ((text[i] & 0xc0) != 0x80) return 0;
    return length;
}

// How many bytes at the start of a text stand in JSON as they are; 0 for one to escape.
static size_t plain_length(const char *text, size_t size) {
    unsigned char c = (unsigned char)*text;
    if (c >= 0x80) return sequence_length((const unsigned char *)text, size);
    return c >= 0x20 && c != '"' && c != '\\';
}

void bytes_append_quoted(struct bytes *b, const char *text, size_t size) {
    bytes_append_char(b, '"');
    size_t start = 0;
    for (size_t i = 0; i < size;) {
        size_t plain = plain_length(text + i, size - i);
        i += plain;
        if (plain) continue;
        bytes_append(b, text + start, i - start);
        append_escape(b, (unsigned char)text[i]);
        start = ++i;
    }
    bytes_append(b, text + start, size - start);
    bytes_append_char(b, '"');
}
