/* store/id_map.c - see id_map.h. Open addressing with linear probes, at most 3/4 full. */
#include "store/id_map.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct id_map {
    struct id_entry *entries;  // [mask + 1]
    size_t mask, used;         // used: entries that are not free
    uint64_t key[2];
};

struct id_map *id_map_new(void) {
    struct id_map *m = calloc(1, sizeof *m);
    if (!m) return NULL;
    m->mask = 1023;
    m->entries = calloc(m->mask + 1, sizeof *m->entries);
    if (!m->entries || getrandom(m->key, sizeof m->key, 0) != sizeof m->key) {
        id_map_free(m);
        return NULL;
    }
    m->key[0] |= 1;
    return m;
}

void id_map_free(struct id_map *m) {
    if (!m) return;
    free(m->entries);
    free(m);
}

// The halves of a 128-bit product, folded.
static uint64_t fold(uint64_t a, uint64_t b) {
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

// Multiply and fold, eight bytes a step, after wyhash (Wang Yi, 2019).
uint64_t id_map_hash(const struct id_map *m, const char *id, size_t size) {
    uint64_t hash = m->key[1] ^ size;
    for (; size >= 8; id += 8, size -= 8) {
        uint64_t word;
        memcpy(&word, id, 8);
        hash = fold(hash ^ word ^ 0x9E3779B97F4A7C15u, m->key[0]);
    }
    uint64_t rest = 0;
    memcpy(&rest, id, size);
    hash = fold(hash ^ rest, m->key[0] ^ 0xD6E8FEB86659FD93u);
    hash = fold(hash ^ 0xA0761D6478BD642Fu, m->key[1] | 1);
    return hash ? hash : 1;
}

// The entry of a hash, or the free one where it would go.
static struct id_entry *find(const struct id_map *m, uint64_t hash) {
    size_t at = hash & m->mask;
    while (m->entries[at].hash && m->entries[at].hash != hash)
        at = (at + 1) & m->mask;
    return &m->entries[at];
}

const struct id_entry *id_map_get(const struct id_map *m, uint64_t hash) {
    const struct id_entry *e = find(m, hash);
    return e->hash ? e : NULL;
}

// Moves to a table of twice the size, without the deleted.
static bool grow(struct id_map *m) {
    struct id_map grown = *m;
    grown.mask = m->mask * 2 + 1;
    grown.used = 0;
    grown.entries = calloc(grown.mask + 1, sizeof *grown.entries);
    if (!grown.entries) return false;
    for (size_t i = 0; i <= m->mask; i++) {
        struct id_entry e = m->entries[i];
        if (!e.hash || e.deleted) continue;
        *find(&grown, e.hash) = e;
        grown.used++;
    }
    free(m->entries);
    *m = grown;
    return true;
}

bool id_map_put(struct id_map *m, struct id_entry entry) {
    struct id_entry *e = find(m, entry.hash);
    if (!e->hash) {
        if ((m->used + 1) * 4 > (m->mask + 1) * 3) {
            if (!grow(m)) return false;
            e = find(m, entry.hash);
        }
        m->used++;
    }
    *e = entry;
    return true;
}

void id_map_remove(struct id_map *m, uint64_t hash) {
    struct id_entry *gap = find(m, hash);
    if (!gap->hash) return;
    m->used--;
    size_t hole = (size_t)(gap - m->entries);
    // Entries behind the hole move into it when their own place is not after it.
    for (size_t at = (hole + 1) & m->mask; m->entries[at].hash; at = (at + 1) & m->mask) {
        size_t home = m->entries[at].hash & m->mask;
        if (((at - home) & m->mask) < ((at - hole) & m->mask)) continue;
        m->entries[hole] = m->entries[at];
        hole = at;
    }
    m->entries[hole].hash = 0;
}
