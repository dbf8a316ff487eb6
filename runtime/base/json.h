/* base/json.h - reads the JSON of documents, on simdjson, without building a tree.
 *
 *     reader ── json_read(text) ──▶ struct json (the cursor's value)
 *                                      ──▶ fields, elements, scalars
 *
 * A value is good only inside the callback that received it, and the callback must consume it:
 * with json_each_*(), json_get_*() or json_skip().
 * Every function says STATUS_INVALID with simdjson's reason where the text is not JSON. */
#ifndef BLIP_BASE_JSON_H
#define BLIP_BASE_JSON_H

#include "base/bytes.h"
#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define JSON_PADDING 64      // readable bytes behind every text that is read
#define JSON_MAX_DEPTH 1000  // nested brackets; more is STATUS_TOO_LARGE

enum json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json_reader;
struct json;

/* NULL when memory runs out. A reader belongs to one thread. */
struct json_reader *json_reader_new(void);
void json_reader_free(struct json_reader *r);

typedef enum status json_value_fn(void *context, struct json *value, struct error *err);
typedef enum status json_field_fn(void *context, const char *key, size_t key_size,
                                  struct json *value, struct error *err);

/* Reads one text that must hold one object and nothing behind it, and gives it to `use`.
 * JSON_PADDING bytes behind text[size] must be readable. */
enum status json_read_object(struct json_reader *r, const char *text, size_t size,
                             json_value_fn *use, void *context, struct error *err);

enum json_kind json_kind_of(const struct json *v);

/* Calls `use` for each field of an object, in order; the key is unescaped and good as long as
 * the text and the reader. The first status that is not STATUS_OK ends the walk. */
enum status json_each_field(struct json *v, json_field_fn *use, void *context,
                            struct error *err);
enum status json_each_element(struct json *v, json_value_fn *use, void *context,
                              struct error *err);

/* Walks over a value for its syntax alone. */
enum status json_skip(struct json *v, struct error *err);

enum status json_get_bool(struct json *v, bool *out, struct error *err);
enum status json_get_null(struct json *v, struct error *err);

struct json_number {
    bool is_integer;  // written without fraction and exponent
    bool fits;        // is_integer, and `integer` holds it
    int64_t integer;
    double number;       // always filled
    const char *digits;  // as written
    size_t digits_size;
};
enum status json_get_number(struct json *v, struct json_number *out, struct error *err);

/* The unescaped text. *stable: it lies in the text that was read and lives as long as that;
 * otherwise it lives until the reader's next json_read_object(). */
enum status json_get_string(struct json *v, const char **bytes, size_t *size, bool *stable,
                            struct error *err);

/* The value's own text, brackets and all, its syntax checked. */
enum status json_get_raw(struct json *v, const char **bytes, size_t *size, struct error *err);

/* Where the value begins (before it is consumed), and where it ended (after). */
const char *json_start(struct json *v);
const char *json_end(struct json *v);

/* Merges the fields of the object `patch` into the object `base`, objects in objects, and
 * appends the merged object to out. *changed: the merge made a difference. */
enum status json_merge(const char *base, size_t base_size, const char *patch, size_t patch_size,
                       struct bytes *out, bool *changed, struct error *err);

#ifdef __cplusplus
}
#endif
#endif
