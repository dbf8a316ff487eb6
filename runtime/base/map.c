/* base/map.c - see map.h: chained buckets, doubled when there are more entries than buckets. */
#include "base/map.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    struct entry *next;
    uint64_t hash;
    void *value;
    char key[];
};

struct map {
    struct entry **buckets;
    size_t capacity;  // a power of two
    size_t size;
};

// FNV-1a, 64 bits.
static uint64_t hash_text(const char *text) {
    uint64_t hash = 14695981039346656037u;
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 1099511628211u;
    return hash;
}

struct map *map_new(void) {
    struct map *m = calloc(1, sizeof *m);
    if (!m) return NULL;
    m->capacity = 16;
    m->buckets = calloc(m->capacity, sizeof *m->buckets);
    if (m->buckets) return m;
    free(m);
    return NULL;
}

void map_free(struct map *m) {
    if (!m) return;
    for (size_t i = 0; i < m->capacity; i++)
        for (struct entry *e = m->buckets[i], *next; e; e = next) {
            next = e->next;
            free(e);
        }
    free(m->buckets);
    free(m);
}

size_t map_size(const struct map *m) { return m->size; }

// The place that points to a key's entry, or to the NULL where it would be linked in.
static struct entry **find(const struct map *m, const char *key, uint64_t hash) {
    struct entry **at = &m->buckets[hash & (m->capacity - 1)];
    while (*at && ((*at)->hash != hash || strcmp((*at)->key, key) != 0))
        at = &(*at)->next;
    return at;
}

void *map_get(const struct map *m, const char *key) {
    struct entry *e = *find(m, key, hash_text(key));
    return e ? e->value : NULL;
}

// Longer chains are the only harm when memory runs out here.
static void grow(struct map *m) {
    size_t capacity = m->capacity * 2;
    struct entry **buckets = calloc(capacity, sizeof *buckets);
    if (!buckets) return;
    for (size_t i = 0; i < m->capacity; i++)
        for (struct entry *e = m->buckets[i], *next; e; e = next) {
            next = e->next;
            struct entry **at = &buckets[e->hash & (capacity - 1)];
            e->next = *at;
            *at = e;
        }
    free(m->buckets);
    m->buckets = buckets;
    m->capacity = capacity;
}

bool map_set(struct map *m, const char *key, void *value) {
    assert(value);
    uint64_t hash = hash_text(key);
    struct entry **at = find(m, key, hash);
    if (*at) {
        (*at)->value = value;
        return true;
    }
    size_t size = strlen(key) + 1;
    struct entry *e = malloc(sizeof *e + size);
    if (!e) return false;
    *e = (struct entry){.hash = hash, .value = value};
    memcpy(e->key, key, size);
    *at = e;
    if (++m->size > m->capacity) grow(m);
    return true;
}

void *map_remove(struct map *m, const char *key) {
    struct entry **at = find(m, key, hash_text(key));
    struct entry *e = *at;
    if (!e) return NULL;
    void *value = e->value;
    *at = e->next;
    free(e);
    m->size--;
    return value;
}
