/* job/dictionary.c - see dictionary.h: open addressing over entries that lie in id order. */
#include "job/dictionary.h"

#include "base/hash.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define FEWEST_SLOTS 64
#define FEWEST_TO_SWEEP 4096  // texts below which nothing is swept

struct entry {
    uint64_t stamp;  // of the newest bucket that used it
    size_t at;       // place in bytes
    uint32_t size;
    uint32_t hash;  // its upper half
    uint32_t holds;
    bool live;
};

struct dictionary {
    struct entry *entries;  // [capacity], by id
    uint32_t *slots;        // [slot_count] id + 1, 0 empty
    uint32_t *free_ids;     // [capacity] a stack
    char *bytes;            // the texts, one behind the other
    size_t count, capacity, slot_count, free_count, bytes_size, bytes_capacity;
    size_t sweep_at;  // texts at which it is worth while to look for dead ones
};

struct dictionary *dictionary_new(void) {
    struct dictionary *d = calloc(1, sizeof *d);
    if (!d) return NULL;
    d->slot_count = FEWEST_SLOTS;
    d->sweep_at = FEWEST_TO_SWEEP;
    d->slots = calloc(d->slot_count, sizeof *d->slots);
    if (d->slots) return d;
    free(d);
    return NULL;
}

void dictionary_free(struct dictionary *d) {
    if (!d) return;
    free(d->entries);
    free(d->slots);
    free(d->free_ids);
    free(d->bytes);
    free(d);
}

void dictionary_clear(struct dictionary *d) {
    memset(d->slots, 0, d->slot_count * sizeof *d->slots);
    d->count = d->free_count = d->bytes_size = 0;
    d->sweep_at = FEWEST_TO_SWEEP;
}

uint64_t dictionary_hash(const char *text, size_t size) { return hash_bytes(text, size); }

static uint32_t upper(uint64_t hash) { return (uint32_t)(hash >> 32); }

// The slot of a text, or the empty one where it belongs.
static size_t find_slot(const struct dictionary *d, uint64_t hash, const char *text,
                        size_t size) {
    size_t mask = d->slot_count - 1, slot = upper(hash) & mask;
    for (; d->slots[slot]; slot = (slot + 1) & mask) {
        const struct entry *e = &d->entries[d->slots[slot] - 1];
        if (e->hash == upper(hash) && e->size == size &&
            memcmp(d->bytes + e->at, text, size) == 0)
            break;
    }
    return slot;
}

uint32_t dictionary_find(const struct dictionary *d, uint64_t hash, const char *text,
                         size_t size) {
    return d->slots[find_slot(d, hash, text, size)] - 1;
}

// Fills the slots from the entries that are live.
static void fill_slots(struct dictionary *d) {
    size_t mask = d->slot_count - 1;
    memset(d->slots, 0, d->slot_count * sizeof *d->slots);
    for (size_t id = 0; id < d->count; id++) {
        if (!d->entries[id].live) continue;
        size_t slot = d->entries[id].hash & mask;
        while (d->slots[slot])
            slot = (slot + 1) & mask;
        d->slots[slot] = (uint32_t)id + 1;
    }
}

static bool grow_slots(struct dictionary *d) {
    uint32_t *grown = realloc(d->slots, 2 * d->slot_count * sizeof *grown);
    if (!grown) return false;
    d->slots = grown;
    d->slot_count *= 2;
    fill_slots(d);
    return true;
}

static bool grow_entries(struct dictionary *d) {
    size_t capacity = d->capacity ? 2 * d->capacity : FEWEST_SLOTS;
    if (capacity >= DICTIONARY_NONE) return false;
    struct entry *entries = realloc(d->entries, capacity * sizeof *entries);
    if (entries) d->entries = entries;
    uint32_t *ids = entries ? realloc(d->free_ids, capacity * sizeof *ids) : NULL;
    if (!ids) return false;
    d->free_ids = ids;
    d->capacity = capacity;
    return true;
}

static bool grow_bytes(struct dictionary *d, size_t more) {
    if (more <= d->bytes_capacity - d->bytes_size) return true;
    size_t capacity = d->bytes_capacity ? 2 * d->bytes_capacity : 1024;
    if (capacity - d->bytes_size < more) capacity = d->bytes_size + more;
    char *grown = realloc(d->bytes, capacity);
    if (!grown) return false;
    d->bytes = grown;
    d->bytes_capacity = capacity;
    return true;
}

static bool make_room(struct dictionary *d, size_t size) {
    size_t live = d->count - d->free_count;
    if (4 * (live + 1) > 3 * d->slot_count && !grow_slots(d)) return false;
    if (d->free_count == 0 && d->count == d->capacity && !grow_entries(d)) return false;
    return size <= UINT32_MAX && grow_bytes(d, size ? size : 1);
}

static void place(struct dictionary *d, uint32_t id, uint64_t hash, const char *text,
                  size_t size) {
    d->entries[id] = (struct entry){
        .at = d->bytes_size, .size = (uint32_t)size, .hash = upper(hash), .live = true};
    if (size) memcpy(d->bytes + d->bytes_size, text, size);
    d->bytes_size += size;
}

uint32_t dictionary_add(struct dictionary *d, uint64_t hash, const char *text, size_t size) {
    uint32_t found = dictionary_find(d, hash, text, size);
    if (found != DICTIONARY_NONE) return found;
    if (!make_room(d, size)) return DICTIONARY_NONE;
    uint32_t id = d->free_count ? d->free_ids[--d->free_count] : (uint32_t)d->count++;
    d->slots[find_slot(d, hash, text, size)] = id + 1;
    place(d, id, hash, text, size);
    return id;
}

const char *dictionary_text(const struct dictionary *d, uint32_t id, size_t *size) {
    assert(id < d->count && d->entries[id].live);
    *size = d->entries[id].size;
    return d->bytes + d->entries[id].at;
}

bool dictionary_has(const struct dictionary *d, uint32_t id) {
    return id < d->count && d->entries[id].live;
}

void dictionary_hold(struct dictionary *d, uint32_t id) { d->entries[id].holds++; }

void dictionary_release(struct dictionary *d, uint32_t id) {
    assert(d->entries[id].holds > 0);
    d->entries[id].holds--;
}

void dictionary_stamp(struct dictionary *d, uint32_t id, uint64_t stamp) {
    if (d->entries[id].stamp < stamp) d->entries[id].stamp = stamp;
}

static int by_place(const void *a, const void *b) {
    const struct entry *const *x = a, *const *y = b;
    return ((*x)->at > (*y)->at) - ((*x)->at < (*y)->at);
}

// Moves the texts that are left together; they stay where they are when memory is short.
static void compact(struct dictionary *d) {
    struct entry **order = malloc((d->count + 1) * sizeof *order);
    if (!order) return;
    size_t live = 0, size = 0;
    for (size_t id = 0; id < d->count; id++)
        if (d->entries[id].live) order[live++] = &d->entries[id];
    qsort(order, live, sizeof *order, by_place);
    for (size_t i = 0; i < live; i++) {
        memmove(d->bytes + size, d->bytes + order[i]->at, order[i]->size);
        order[i]->at = size;
        size += order[i]->size;
    }
    d->bytes_size = size;
    free(order);
}

void dictionary_sweep(struct dictionary *d, uint64_t oldest) {
    if (d->count - d->free_count < d->sweep_at) return;
    for (size_t id = 0; id < d->count; id++) {
        struct entry *e = &d->entries[id];
        if (!e->live || e->holds || e->stamp >= oldest) continue;
        e->live = false;
        d->free_ids[d->free_count++] = (uint32_t)id;
    }
    compact(d);
    fill_slots(d);
    size_t live = d->count - d->free_count;
    d->sweep_at = 2 * live > FEWEST_TO_SWEEP ? 2 * live : FEWEST_TO_SWEEP;
}

size_t dictionary_size(const struct dictionary *d) {
    return sizeof *d + d->capacity * (sizeof *d->entries + sizeof *d->free_ids) +
           d->slot_count * sizeof *d->slots + d->bytes_capacity;
}

// --- saving ----------------------------------------------------------------------------------

void dictionary_save(const struct dictionary *d, struct pack *out) {
    pack_u32(out, (uint32_t)d->count);
    for (size_t id = 0; id < d->count; id++) {
        const struct entry *e = &d->entries[id];
        pack_u8(out, e->live);
        if (!e->live) continue;
        pack_u64(out, e->stamp);
        pack_u32(out, e->size);
        pack_bytes(out, d->bytes + e->at, e->size);
    }
    pack_u32(out, (uint32_t)d->free_count);
    for (size_t i = 0; i < d->free_count; i++)
        pack_u32(out, d->free_ids[i]);
}

static bool load_entry(struct dictionary *d, struct unpack *in) {
    if (d->count == d->capacity && !grow_entries(d)) return false;
    uint32_t id = (uint32_t)d->count++;
    d->entries[id] = (struct entry){0};
    if (!unpack_u8(in)) return true;
    uint64_t stamp = unpack_u64(in);
    size_t size = unpack_u32(in);
    if (in->failed || size > unpack_left(in)) return false;
    const char *text = (const char *)in->bytes + in->at;
    uint64_t hash = dictionary_hash(text, size);
    if (dictionary_find(d, hash, text, size) != DICTIONARY_NONE || !make_room(d, size))
        return false;
    d->slots[find_slot(d, hash, text, size)] = id + 1;
    place(d, id, hash, text, size);
    d->entries[id].stamp = stamp;
    in->at += size;
    return true;
}

// Every number that is not live must be free once.
static bool load_free_ids(struct dictionary *d, struct unpack *in) {
    size_t dead = 0, count = unpack_u32(in);
    for (size_t id = 0; id < d->count; id++)
        dead += !d->entries[id].live;
    if (count != dead) return false;
    for (size_t i = 0; i < count; i++) {
        uint32_t id = unpack_u32(in);
        if (id >= d->count || d->entries[id].live || d->entries[id].holds) return false;
        d->entries[id].holds = 1;  // a mark: listed already
        d->free_ids[d->free_count++] = id;
    }
    return !in->failed;
}

bool dictionary_load(struct dictionary *d, struct unpack *in) {
    size_t count = unpack_u32(in);
    for (size_t i = 0; i < count && !in->failed; i++)
        if (!load_entry(d, in)) return false;
    return !in->failed && load_free_ids(d, in);
}
