/* job/rarity.c - see rarity.h. */
#include "job/rarity.h"

#include <stdlib.h>
#include <string.h>

#define LEAST_BYTES 24  // of a saved partition

void rarity_clear(struct rarity *r) {
    for (size_t i = 0; i < r->count; i++)
        category_free(r->parts[i].categories);
    free(r->parts);
    free(r->counted);
    *r = (struct rarity){0};
}

/* The place of the first partition whose key is not below this. */
static size_t place_of(const struct rarity *r, uint64_t partition) {
    size_t low = 0, high = r->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (r->parts[middle].partition < partition)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct category *rarity_find(const struct rarity *r, uint64_t partition) {
    size_t at = place_of(r, partition);
    bool known = at < r->count && r->parts[at].partition == partition;
    return known ? r->parts[at].categories : NULL;
}

static enum status make_room(struct rarity *r, struct error *err) {
    if (r->count < r->capacity) return STATUS_OK;
    size_t capacity = r->capacity ? r->capacity * 2 : 4;
    struct rarity_part *parts = realloc(r->parts, capacity * sizeof *parts);
    if (!parts) return fail(err, STATUS_NO_MEMORY, "no memory for %zu partitions", capacity);
    r->parts = parts;
    r->capacity = capacity;
    return STATUS_OK;
}

static enum status insert(struct rarity *r, uint64_t partition, struct category *categories,
                          struct error *err) {
    enum status status = make_room(r, err);
    if (status != STATUS_OK) return status;
    size_t at = place_of(r, partition);
    memmove(&r->parts[at + 1], &r->parts[at], (r->count - at) * sizeof *r->parts);
    r->parts[at] = (struct rarity_part){partition, categories};
    r->count++;
    return STATUS_OK;
}

enum status rarity_get(struct rarity *r, uint64_t partition, struct category **out,
                       struct error *err) {
    *out = rarity_find(r, partition);
    if (*out) return STATUS_OK;
    struct category *made = category_new();
    if (!made) return fail(err, STATUS_NO_MEMORY, "no memory for categories");
    enum status status = insert(r, partition, made, err);
    if (status != STATUS_OK) {
        category_free(made);
        return status;
    }
    *out = made;
    return STATUS_OK;
}

enum status rarity_count(struct rarity *r, uint32_t cell, bool *fresh, struct error *err) {
    if (cell >= r->cells) {
        size_t cells = 2 * ((size_t)cell + 1);
        uint8_t *counted = realloc(r->counted, cells);
        if (!counted) return fail(err, STATUS_NO_MEMORY, "no memory for %zu persons", cells);
        memset(counted + r->cells, 0, cells - r->cells);
        r->counted = counted;
        r->cells = cells;
    }
    *fresh = !r->counted[cell];
    r->counted[cell] = 1;
    return STATUS_OK;
}

void rarity_forget(struct rarity *r, uint32_t cell) {
    if (cell < r->cells) r->counted[cell] = 0;
}

void rarity_age(struct rarity *r, double keep) {
    size_t to = 0;
    for (size_t i = 0; i < r->count; i++) {
        category_age(r->parts[i].categories, keep);
        if (category_count(r->parts[i].categories) > 0)
            r->parts[to++] = r->parts[i];
        else
            category_free(r->parts[i].categories);
    }
    r->count = to;
}

size_t rarity_size(const struct rarity *r) {
    size_t size = r->count * sizeof *r->parts + r->cells;
    for (size_t i = 0; i < r->count; i++)
        size += category_size(r->parts[i].categories);
    return size;
}

void rarity_save(const struct rarity *r, struct pack *to) {
    pack_u64(to, r->count);
    for (size_t i = 0; i < r->count; i++) {
        pack_u64(to, r->parts[i].partition);
        category_save(r->parts[i].categories, to);
    }
    pack_u64(to, r->cells);
    if (r->cells) pack_bytes(to, r->counted, r->cells);
}

static enum status load_counted(struct rarity *r, struct unpack *from, struct error *err) {
    uint64_t cells = unpack_u64(from);
    if (from->failed || cells > unpack_left(from))
        return fail(err, STATUS_INVALID, "a saved job ends within its persons");
    if (cells == 0) return STATUS_OK;
    r->counted = malloc((size_t)cells);
    if (!r->counted) return fail(err, STATUS_NO_MEMORY, "no memory for saved persons");
    r->cells = (size_t)cells;
    unpack_bytes(from, r->counted, r->cells);
    return STATUS_OK;
}

enum status rarity_load(struct rarity *r, struct unpack *from, struct error *err) {
    uint64_t count = unpack_u64(from);
    if (from->failed || count > unpack_left(from) / LEAST_BYTES)
        return fail(err, STATUS_INVALID, "no saved rarities");
    for (uint64_t i = 0; i < count; i++) {
        uint64_t partition = unpack_u64(from);
        struct category *categories;
        if (rarity_find(r, partition))
            return fail(err, STATUS_INVALID, "a saved job has a partition twice");
        enum status status = category_load(from, &categories, err);
        if (status != STATUS_OK) return status;
        status = insert(r, partition, categories, err);
        if (status != STATUS_OK) {
            category_free(categories);
            return status;
        }
    }
    return load_counted(r, from, err);
}
