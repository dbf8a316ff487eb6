/* store/id_map.h - where the document of an id is: _id → _seq_no and _version.
 * Holds a 64-bit keyed hash of each id in place of the id, 24 bytes an entry. Two of 10^8 ids
 * share one with a chance of 1 : 3,000, and the key is random, so nobody can aim at it.
 * A deleted id keeps its version until the map grows, so that the next document of that id
 * goes on counting. */
#ifndef BLIP_STORE_ID_MAP_H
#define BLIP_STORE_ID_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct id_map;

#define ID_VERSION_MASK (UINT64_MAX >> 1)

struct id_entry {
    uint64_t hash;  // 0 = free
    int64_t seq_no;
    uint64_t deleted : 1, version : 63;
};

/* NULL when memory runs out. */
struct id_map *id_map_new(void);
void id_map_free(struct id_map *m);  // NULL is fine

uint64_t id_map_hash(const struct id_map *m, const char *id, size_t size);

/* NULL when the id was never seen. The pointer is good until the next id_map_put(). */
const struct id_entry *id_map_get(const struct id_map *m, uint64_t hash);

/* Adds or replaces an entry by its hash. False when memory runs out. */
bool id_map_put(struct id_map *m, struct id_entry entry);
void id_map_remove(struct id_map *m, uint64_t hash);

#endif
