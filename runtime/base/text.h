/* base/text.h - a growable run of bytes, and the ways JSON is written into it.
 * Appending never fails half-way for the caller to check each time: when memory runs out the
 * text remembers it, further appends do nothing, and text_status() says so once at the end. */
#ifndef BLIP_BASE_TEXT_H
#define BLIP_BASE_TEXT_H

#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
    char *bytes;  // not zero-terminated; NULL while empty
    size_t size, capacity;
    bool exhausted;  // memory ran out: what is here is incomplete
};

/* {0} is an empty text. Frees the bytes; the text is then empty again. */
void text_free(struct text *t);

void text_append(struct text *t, const char *bytes, size_t size);
void text_append_string(struct text *t, const char *string);
void text_format(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_append_int(struct text *t, int64_t value);

/* The shortest decimal that reads back as the same double, as JSON: 1.0 prints 1.0, NaN and
 * infinities print null. */
void text_append_double(struct text *t, double value);

/* A JSON string with its quotes; `bytes` are UTF-8. */
void text_append_json(struct text *t, const char *bytes, size_t size);

/* Adds a terminating zero (not counted in size) and returns the bytes; "" when memory ran out.
 */
const char *text_string(struct text *t);

/* STATUS_OK, or STATUS_NO_MEMORY when an append was lost. */
enum status text_status(const struct text *t, struct error *err);

#endif
