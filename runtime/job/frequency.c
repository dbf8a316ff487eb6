/* job/frequency.c - see frequency.h: open addressing, at most half full. */
#include "job/frequency.h"

#include "base/hash.h"
#include <stdlib.h>

void frequency_free(struct frequency *f) {
    free(f->entries);
    *f = (struct frequency){0};
}

// The place of a value, or the empty one where it belongs.
static struct frequency_entry *find(const struct frequency *f, uint32_t partition,
                                    uint32_t value) {
    size_t mask = f->capacity - 1, at = (size_t)hash_words(partition, value, 0) & mask;
    while (f->entries[at].buckets &&
           (f->entries[at].partition != partition || f->entries[at].value != value))
        at = (at + 1) & mask;
    return &f->entries[at];
}

// Moves the entries from a time on into a table of another capacity.
static bool rebuild(struct frequency *f, size_t capacity, int64_t from_s) {
    struct frequency fresh = {.capacity = capacity};
    fresh.entries = calloc(capacity, sizeof *fresh.entries);
    if (!fresh.entries) return false;
    for (size_t i = 0; i < f->capacity; i++) {
        const struct frequency_entry *e = &f->entries[i];
        if (!e->buckets || e->last_s < from_s) continue;
        *find(&fresh, e->partition, e->value) = *e;
        fresh.count++;
    }
    free(f->entries);
    *f = fresh;
    return true;
}

bool frequency_note(struct frequency *f, uint32_t partition, uint32_t value, int64_t bucket_s) {
    if (2 * (f->count + 1) > f->capacity &&
        !rebuild(f, f->capacity ? 2 * f->capacity : 64, INT64_MIN))
        return false;
    struct frequency_entry *e = find(f, partition, value);
    if (!e->buckets) {
        *e = (struct frequency_entry){partition, value, 1, bucket_s};
        f->count++;
    } else if (e->last_s < bucket_s) {
        e->buckets++;
        e->last_s = bucket_s;
    }
    return true;
}

uint32_t frequency_buckets(const struct frequency *f, uint32_t partition, uint32_t value) {
    return f->capacity ? find(f, partition, value)->buckets : 0;
}

void frequency_prune(struct frequency *f, int64_t before_s) {
    if (f->capacity) (void)rebuild(f, f->capacity, before_s);
}

size_t frequency_size(const struct frequency *f) { return f->capacity * sizeof *f->entries; }

void frequency_save(const struct frequency *f, struct pack *out) {
    pack_u32(out, (uint32_t)f->count);
    for (size_t i = 0; i < f->capacity; i++) {
        const struct frequency_entry *e = &f->entries[i];
        if (!e->buckets) continue;
        pack_u32(out, e->partition);
        pack_u32(out, e->value);
        pack_u32(out, e->buckets);
        pack_u64(out, (uint64_t)e->last_s);
    }
}

bool frequency_load(struct frequency *f, struct unpack *in) {
    size_t count = unpack_u32(in);
    for (size_t i = 0; i < count; i++) {
        uint32_t partition = unpack_u32(in), value = unpack_u32(in), buckets = unpack_u32(in);
        int64_t last_s = (int64_t)unpack_u64(in);
        if (in->failed || !buckets || frequency_buckets(f, partition, value)) return false;
        if (!frequency_note(f, partition, value, last_s)) return false;
        find(f, partition, value)->buckets = buckets;
    }
    return !in->failed;
}
