#include "model/peaks.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#define FIRST_CAPACITY 8
#define SLOT_BYTES 28  // of a saved slot

void peaks_free(struct peaks *p) {
    free(p->slots);
    *p = (struct peaks){0};
}

static size_t home(const struct peaks *p, uint64_t key) {
    key ^= key >> 32;  // the keys are hashes already; 0 and 1 are not
    return (size_t)(key * 0x9e3779b97f4a7c15u >> 20) & (p->capacity - 1);
}

/* The scope's place, or the free one where it would go; there always is a free one. */
static struct peak *find(const struct peaks *p, uint64_t key) {
    size_t at = home(p, key);
    while (p->slots[at].largest > 0 && p->slots[at].key != key)
        at = (at + 1) & (p->capacity - 1);
    return &p->slots[at];
}

double peaks_get(const struct peaks *p, uint64_t key) {
    return p->count ? find(p, key)->largest : 0;
}

/* Moves every scope into `slots`, all of them free so far. */
static void rehash(struct peaks *p, struct peak *slots, size_t capacity) {
    struct peaks old = *p;
    p->slots = slots;
    p->capacity = capacity;
    for (size_t i = 0; i < old.capacity; i++)
        if (old.slots[i].largest > 0) *find(p, old.slots[i].key) = old.slots[i];
    free(old.slots);
}

static enum status make_room(struct peaks *p, struct error *err) {
    if ((p->count + 1) * 4 <= p->capacity * 3) return STATUS_OK;
    size_t capacity = p->capacity ? p->capacity * 2 : FIRST_CAPACITY;
    struct peak *slots = calloc(capacity, sizeof *slots);
    if (!slots) return fail(err, STATUS_NO_MEMORY, "no memory for %zu scopes", capacity);
    rehash(p, slots, capacity);
    return STATUS_OK;
}

enum status peaks_put(struct peaks *p, uint64_t key, double raw, struct error *err) {
    struct peak *known = p->count ? find(p, key) : NULL;
    if (known && known->largest > 0) {
        known->largest = fmax(known->largest, raw);
        known->idle = 0;
        return STATUS_OK;
    }
    if (!(raw > 0)) return STATUS_OK;
    enum status status = make_room(p, err);
    if (status != STATUS_OK) return status;
    *find(p, key) = (struct peak){key, raw, 0};
    p->count++;
    return STATUS_OK;
}

/* Takes a scope out and closes the gap: who was pushed past it moves back. */
static void take_out(struct peaks *p, size_t hole) {
    size_t mask = p->capacity - 1;
    for (size_t at = (hole + 1) & mask; p->slots[at].largest > 0; at = (at + 1) & mask) {
        size_t from_home = (at - home(p, p->slots[at].key)) & mask;
        if (from_home < ((at - hole) & mask)) continue;
        p->slots[hole] = p->slots[at];
        hole = at;
    }
    p->slots[hole] = (struct peak){0};
    p->count--;
}

/* A table that has become too large for what is left; it stays when memory is short. */
static void shrink(struct peaks *p) {
    size_t capacity = FIRST_CAPACITY;
    while (p->count * 4 > capacity)
        capacity *= 2;
    if (capacity * 4 >= p->capacity) return;
    struct peak *slots = calloc(capacity, sizeof *slots);
    if (slots) rehash(p, slots, capacity);
}

void peaks_age(struct peaks *p, double fade) {
    for (size_t i = 0; i < p->capacity; i++) {
        if (p->slots[i].largest <= 0) continue;
        p->slots[i].largest = fmax(p->slots[i].largest * fade, 1e-300);
        p->slots[i].idle++;
    }
    for (size_t i = 0; i < p->capacity; i++)
        while (p->slots[i].largest > 0 && p->slots[i].idle > PEAKS_PATIENCE)
            take_out(p, i);  // another one may have moved in
    shrink(p);
}

// A saved slot keeps its place, so that a loaded table is the same down to its probing.
void peaks_save(const struct peaks *p, struct pack *to) {
    pack_u64(to, p->capacity);
    pack_u64(to, p->count);
    for (size_t i = 0; i < p->capacity; i++) {
        if (p->slots[i].largest <= 0) continue;
        pack_u64(to, i);
        pack_u64(to, p->slots[i].key);
        pack_f64(to, p->slots[i].largest);
        pack_u32(to, p->slots[i].idle);
    }
}

static bool load_slots(struct peaks *p, struct unpack *from) {
    for (size_t i = 0, next = 0; i < p->count; i++) {
        uint64_t at = unpack_u64(from);
        if (from->failed || at < next || at >= p->capacity) return false;
        struct peak *slot = &p->slots[at];
        slot->key = unpack_u64(from);
        slot->largest = unpack_f64(from);
        slot->idle = unpack_u32(from);
        if (!(slot->largest > 0) || !(slot->largest <= 100)) return false;
        next = (size_t)at + 1;
    }
    return !from->failed;
}

enum status peaks_load(struct peaks *p, struct unpack *from, struct error *err) {
    uint64_t capacity = unpack_u64(from), count = unpack_u64(from);
    bool sound = !from->failed && (capacity & (capacity - 1)) == 0 &&
                 count <= unpack_left(from) / SLOT_BYTES && count * 4 <= capacity * 3 &&
                 capacity <= (count + FIRST_CAPACITY) * 1024;
    if (!sound) return fail(err, STATUS_INVALID, "no saved peaks");
    if (capacity == 0) return STATUS_OK;
    struct peaks loaded = {.capacity = (size_t)capacity, .count = (size_t)count};
    loaded.slots = calloc(loaded.capacity, sizeof *loaded.slots);
    if (!loaded.slots) return fail(err, STATUS_NO_MEMORY, "no memory for saved peaks");
    if (!load_slots(&loaded, from)) {
        peaks_free(&loaded);
        return fail(err, STATUS_INVALID, "the saved peaks are damaged");
    }
    *p = loaded;
    return STATUS_OK;
}
