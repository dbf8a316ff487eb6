/* base/map.h - texts to pointers. Not locked; the keys are copied, the values are the caller's.
 */
#ifndef BLIP_BASE_MAP_H
#define BLIP_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>

struct map;

struct map *map_new(void);     // NULL when memory runs out; map_free() frees it, not its values
void map_free(struct map *m);  // NULL is fine

size_t map_size(const struct map *m);
void *map_get(const struct map *m, const char *key);  // NULL when there is none

/* Stores a value, in the place of an older one; false when memory runs out, and then nothing
 * has changed. value must not be NULL. */
bool map_set(struct map *m, const char *key, void *value);

/* Takes a value out and returns it, NULL when there is none. */
void *map_remove(struct map *m, const char *key);

#endif
