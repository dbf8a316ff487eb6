/* frame/key.h - entities: the category values of a row as one key, and keys as short ids.
 *
 *     service  region        key                 id
 *     cart     eu       ->   cart \x1f eu   ->   0, 1, 2 ... in order of arrival */
#ifndef BLIP_FRAME_KEY_H
#define BLIP_FRAME_KEY_H

#include "base/bytes.h"
#include "frame/frame.h"

#define KEY_SEPARATOR '\x1f'  // ASCII unit separator

/* Appends the key of a row over TEXT columns; a missing value counts as empty text. */
void key_append(struct bytes *out, const struct column *const *columns, size_t count,
                size_t row);

/* Numbers keys in the order in which they arrive. */
struct key_index;

struct key_index *key_index_new(void);  // NULL when memory runs out
void key_index_free(struct key_index *k);
/* The number of a key; a new one gets the next. STATUS_NO_MEMORY. */
enum status key_index_add(struct key_index *k, const char *key, size_t size, size_t *id,
                          struct error *err);
size_t key_index_count(const struct key_index *k);
const char *key_index_text(const struct key_index *k, size_t id, size_t *size);

/* MurmurHash3 x64 128 (Austin Appleby, public domain) of bytes with a seed; two halves. */
void key_hash(const void *bytes, size_t size, uint32_t seed, uint64_t hash[2]);

/* Adds a TEXT column with the id under which OpenSearch knows an entity's model:
 *     prefix + base64url(murmur3("k1=v1,k2=v2", seed 42)), without padding
 * (opensearch-ad.md 6.2). The category columns are the names, in their order.
 * STATUS_INVALID when a column is absent or no TEXT, STATUS_CONFLICT when `name` exists. */
enum status frame_add_model_ids(struct frame *f, const char *name, const char *prefix,
                                const char *const *category, size_t count, struct error *err);

#endif
