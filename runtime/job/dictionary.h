/* job/dictionary.h - the texts of a job (values of its fields) as small numbers.
 *
 *     "cart" -> 0   "eu" -> 1   "" -> 2        in order of arrival, freed numbers again first
 *
 * A text stays while it is held (by a cell) or was seen at or after a stamp (of an open
 * bucket); dictionary_sweep() frees the others. */
#ifndef BLIP_JOB_DICTIONARY_H
#define BLIP_JOB_DICTIONARY_H

#include "model/pack.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DICTIONARY_NONE UINT32_MAX

struct dictionary;

struct dictionary *dictionary_new(void);     // NULL when memory runs out
void dictionary_free(struct dictionary *d);  // NULL is fine

void dictionary_clear(struct dictionary *d);  // forgets everything, holds too

uint64_t dictionary_hash(const char *text, size_t size);

/* The id of a text whose hash is known; DICTIONARY_NONE when it is not in here. */
uint32_t dictionary_find(const struct dictionary *d, uint64_t hash, const char *text,
                         size_t size);

/* The same, and makes one when there is none. DICTIONARY_NONE when memory runs out. */
uint32_t dictionary_add(struct dictionary *d, uint64_t hash, const char *text, size_t size);

/* The text of an id; good until the next dictionary_add(). */
const char *dictionary_text(const struct dictionary *d, uint32_t id, size_t *size);

bool dictionary_has(const struct dictionary *d, uint32_t id);

void dictionary_hold(struct dictionary *d, uint32_t id);
void dictionary_release(struct dictionary *d, uint32_t id);

/* Notes that an open bucket with this stamp uses the text; stamps grow. */
void dictionary_stamp(struct dictionary *d, uint32_t id, uint64_t stamp);

/* Frees texts that nobody holds and that no bucket from `oldest` on uses, when there may be
 * many of them. */
void dictionary_sweep(struct dictionary *d, uint64_t oldest);

size_t dictionary_size(const struct dictionary *d);  // bytes

void dictionary_save(const struct dictionary *d, struct pack *out);
/* Reads into an empty dictionary; holds are not saved: who loads holds again. False when the
 * bytes are damaged or memory runs out. */
bool dictionary_load(struct dictionary *d, struct unpack *in);

#endif
