/* job/bucket.c - see bucket.h. */
#include "job/bucket.h"

#include "base/hash.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define KEPT_BYTES ((size_t)16 << 20)  // of an arena, from bucket to bucket
#define KEPT_SLICES 65536              // slots of influencer values likewise
#define FEWEST 16

struct gather_bucket *bucket_new(size_t detectors) {
    struct gather_bucket *b = calloc(1, sizeof *b + detectors * sizeof *b->detectors);
    if (b) b->detector_count = detectors;
    return b;
}

static void free_slices(struct bucket_detector *d) {
    free(d->slices);
    free(d->slice_slots);
    d->slices = NULL;
    d->slice_slots = NULL;
    d->slice_capacity = d->slice_slot_count = d->slice_count = 0;
}

void bucket_free(struct gather_bucket *b) {
    if (!b) return;
    for (size_t i = 0; i < b->detector_count; i++) {
        free(b->detectors[i].tallies);
        free(b->detectors[i].touched);
        free_slices(&b->detectors[i]);
    }
    arena_free(&b->arena);
    free(b->lists);
    free(b);
}

static void clear_detector(struct bucket_detector *d) {
    for (uint32_t i = 0; i < d->touched_count; i++)
        d->tallies[d->touched[i]].count = -1;
    d->touched_count = 0;
    if (d->slice_slot_count > KEPT_SLICES && d->slice_count < d->slice_slot_count / 8)
        free_slices(d);
    if (d->slice_count) memset(d->slice_slots, 0, d->slice_slot_count * sizeof *d->slice_slots);
    d->slice_count = 0;
}

void bucket_clear(struct gather_bucket *b) {
    for (size_t i = 0; i < b->detector_count; i++)
        clear_detector(&b->detectors[i]);
    arena_clear(&b->arena, KEPT_BYTES);
    b->list_count = 0;
    b->records = b->refused = 0;
    b->events = 0;
    b->partial = false;
}

static void empty_tally(struct tally *t) {
    *t = (struct tally){
        .min = INFINITY, .max = -INFINITY, .list = TALLY_NONE, .slices = TALLY_NONE};
}

// --- cells -----------------------------------------------------------------------------------

static bool grow_tallies(struct bucket_detector *d, uint32_t cell) {
    size_t capacity = d->tally_capacity ? d->tally_capacity : FEWEST;
    while (capacity <= cell)
        capacity *= 2;
    struct tally *grown = aligned_alloc(sizeof *grown, capacity * sizeof *grown);
    if (!grown) return false;
    if (d->tallies) memcpy(grown, d->tallies, d->tally_capacity * sizeof *grown);
    for (size_t i = d->tally_capacity; i < capacity; i++)
        grown[i].count = -1;
    free(d->tallies);
    d->tallies = grown;
    d->tally_capacity = (uint32_t)capacity;
    return true;
}

static bool push_touched(struct bucket_detector *d, uint32_t cell) {
    if (d->touched_count == d->touched_capacity) {
        uint32_t capacity = d->touched_capacity ? 2 * d->touched_capacity : FEWEST;
        uint32_t *grown = realloc(d->touched, capacity * sizeof *grown);
        if (!grown) return false;
        d->touched = grown;
        d->touched_capacity = capacity;
    }
    d->touched[d->touched_count++] = cell;
    return true;
}

struct tally *bucket_touch(struct gather_bucket *b, size_t detector, uint32_t cell,
                           bool *fresh) {
    struct bucket_detector *d = &b->detectors[detector];
    if (cell >= d->tally_capacity && !grow_tallies(d, cell)) return NULL;
    struct tally *t = &d->tallies[cell];
    *fresh = t->count < 0;
    if (*fresh && !push_touched(d, cell)) return NULL;
    if (*fresh) empty_tally(t);
    return t;
}

// --- influencer slices -----------------------------------------------------------------------

static uint32_t slice_home(const struct bucket_detector *d, uint32_t cell, uint32_t influencer,
                           uint32_t value) {
    return (uint32_t)hash_words(cell, influencer, value) & (d->slice_slot_count - 1);
}

// The slot of a slice, or the empty one where it belongs.
static uint32_t find_slice(const struct bucket_detector *d, uint32_t cell, uint32_t influencer,
                           uint32_t value) {
    uint32_t mask = d->slice_slot_count - 1, at = slice_home(d, cell, influencer, value);
    for (; d->slice_slots[at]; at = (at + 1) & mask) {
        const struct gather_slice *s = &d->slices[d->slice_slots[at] - 1];
        if (s->cell == cell && s->influencer == influencer && s->value == value) break;
    }
    return at;
}

static bool grow_slice_slots(struct bucket_detector *d) {
    uint32_t count = d->slice_slot_count ? 2 * d->slice_slot_count : 4 * FEWEST;
    uint32_t *slots = calloc(count, sizeof *slots);
    if (!slots) return false;
    free(d->slice_slots);
    d->slice_slots = slots;
    d->slice_slot_count = count;
    for (uint32_t i = 0; i < d->slice_count; i++) {
        const struct gather_slice *s = &d->slices[i];
        slots[find_slice(d, s->cell, s->influencer, s->value)] = i + 1;
    }
    return true;
}

static bool grow_slices(struct bucket_detector *d) {
    uint32_t capacity = d->slice_capacity ? 2 * d->slice_capacity : FEWEST;
    struct gather_slice *grown = realloc(d->slices, capacity * sizeof *grown);
    if (!grown) return false;
    d->slices = grown;
    d->slice_capacity = capacity;
    return true;
}

struct tally *bucket_slice(struct gather_bucket *b, size_t detector, uint32_t cell,
                           uint32_t influencer, uint32_t value, bool full, bool *fresh) {
    struct bucket_detector *d = &b->detectors[detector];
    if (2 * (d->slice_count + 1) > d->slice_slot_count && !grow_slice_slots(d)) return NULL;
    uint32_t at = find_slice(d, cell, influencer, value);
    *fresh = d->slice_slots[at] == 0;
    if (!*fresh) return &d->slices[d->slice_slots[at] - 1].tally;
    if (full || (d->slice_count == d->slice_capacity && !grow_slices(d))) return NULL;
    struct gather_slice *s = &d->slices[d->slice_count++];
    *s = (struct gather_slice){.cell = cell, .influencer = influencer, .value = value};
    empty_tally(&s->tally);
    d->slice_slots[at] = d->slice_count;
    s->next = d->tallies[cell].slices;
    d->tallies[cell].slices = d->slice_count - 1;
    return &s->tally;
}

// --- lists and sets --------------------------------------------------------------------------

static struct bucket_list *list_of(struct gather_bucket *b, struct tally *t) {
    if (t->list != TALLY_NONE) return &b->lists[t->list];
    if (b->list_count == b->list_capacity) {
        uint32_t capacity = b->list_capacity ? 2 * b->list_capacity : FEWEST;
        struct bucket_list *grown = realloc(b->lists, capacity * sizeof *grown);
        if (!grown) return NULL;
        b->lists = grown;
        b->list_capacity = capacity;
    }
    b->lists[b->list_count] = (struct bucket_list){0};
    t->list = b->list_count++;
    return &b->lists[t->list];
}

bool bucket_add_part(struct gather_bucket *b, struct tally *t, const struct part *part,
                     enum detector_function function) {
    struct bucket_list *list = list_of(b, t);
    if (!list) return false;
    uint32_t most = function == FUNCTION_MEDIAN ? PARTS_MEDIAN_MAX : PARTS_MAX;
    if (list->count == most) list->count = (uint32_t)parts_halve(list->parts, most, function);
    if (list->count == list->capacity) {
        uint32_t capacity = list->capacity ? 2 * list->capacity : 4;
        struct part *grown = arena_grow(&b->arena, list->parts, list->count * sizeof *grown,
                                        capacity * sizeof *grown);
        if (!grown) return false;
        list->parts = grown;
        list->capacity = capacity;
    }
    list->parts[list->count++] = *part;
    return true;
}

static void put_value(struct bucket_list *set, uint64_t value) {
    uint32_t mask = set->capacity - 1,
             at = (uint32_t)hash_mix(value, 0x9E3779B97F4A7C15u) & mask;
    while (set->slots[at] && set->slots[at] != value)
        at = (at + 1) & mask;
    if (set->slots[at]) return;
    set->slots[at] = value;
    set->count++;
}

static bool grow_set(struct gather_bucket *b, struct bucket_list *set) {
    struct bucket_list grown = {.capacity = set->capacity ? 2 * set->capacity : 8};
    grown.slots = arena_take(&b->arena, grown.capacity * sizeof *grown.slots);
    if (!grown.slots) return false;
    memset(grown.slots, 0, grown.capacity * sizeof *grown.slots);
    for (uint32_t i = 0; i < set->capacity; i++)
        if (set->slots[i]) put_value(&grown, set->slots[i]);
    *set = grown;
    return true;
}

bool bucket_add_value(struct gather_bucket *b, struct tally *t, uint64_t value) {
    struct bucket_list *set = list_of(b, t);
    if (!set) return false;
    if (2 * (set->count + 1) > set->capacity && !grow_set(b, set)) return false;
    put_value(set, value ? value : 1);  // 0 marks an empty place
    return true;
}

const struct bucket_list *bucket_list(const struct gather_bucket *b, const struct tally *t) {
    return t->list == TALLY_NONE ? NULL : &b->lists[t->list];
}

size_t bucket_size(const struct gather_bucket *b) {
    size_t size = sizeof *b + b->detector_count * sizeof *b->detectors + b->arena.size_bytes +
                  b->list_capacity * sizeof *b->lists;
    for (size_t i = 0; i < b->detector_count; i++) {
        const struct bucket_detector *d = &b->detectors[i];
        size += d->tally_capacity * sizeof *d->tallies +
                d->touched_capacity * sizeof *d->touched +
                d->slice_capacity * sizeof *d->slices +
                d->slice_slot_count * sizeof *d->slice_slots;
    }
    return size;
}
