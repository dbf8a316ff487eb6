/* base/bytes.h - text or bytes that grow at the end.
 * Writers do not check each append: a buffer that could not grow stays failed, keeps what it
 * had, and bytes_ok() says so once at the end. */
#ifndef BLIP_BASE_BYTES_H
#define BLIP_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bytes {
    char *data;  // NULL until the first append; not terminated
    size_t size, capacity;
    bool failed;  // memory ran out
};

/* An empty buffer is all zero: struct bytes b = {0}. */
void bytes_free(struct bytes *b);
void bytes_clear(struct bytes *b);  // size 0, capacity kept, no longer failed
bool bytes_ok(const struct bytes *b);

/* Room for `more` bytes at the end, or NULL. The caller adds what it wrote to size. */
char *bytes_reserve(struct bytes *b, size_t more);

void bytes_append(struct bytes *b, const void *data, size_t size);
void bytes_append_text(struct bytes *b, const char *text);  // NUL-terminated
void bytes_append_char(struct bytes *b, char c);
void bytes_append_format(struct bytes *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Numbers and strings as JSON writes them: NaN and infinite become null, a double always has a
 * point or an exponent, text is quoted and escaped, and what is not UTF-8 in it becomes U+FFFD.
 */
void bytes_append_int(struct bytes *b, int64_t value);
void bytes_append_double(struct bytes *b, double value);
void bytes_append_quoted(struct bytes *b, const char *text, size_t size);

#ifdef __cplusplus
}
#endif

#endif
