/* job/bucket.h - what the series gathered in one bucket, before it closes.
 *
 *     detector ─▶ tallies by cell        the cells touched, in order of arrival
 *              └▶ slices                 by (cell, influencer, value), chained per cell
 *     arena    ─▶ lists                  parts of samples, times; sets of distinct values
 *
 * Everything is kept for the next bucket when this one closes, so that a steady stream
 * allocates nothing. Inside runtime/job: who reads a bucket from outside uses gather.h. */
#ifndef BLIP_JOB_BUCKET_H
#define BLIP_JOB_BUCKET_H

#include "job/arena.h"
#include "job/gather.h"
#include "job/sampler.h"

// A list of parts or a set of 64-bit values, in the bucket's arena.
struct bucket_list {
    union {
        struct part *parts;
        uint64_t *slots;  // a set: open addressing, 0 empty
    };
    uint32_t count, capacity;
};

struct bucket_detector {
    struct tally *tallies;        // [tally_capacity] by cell; count < 0: nothing came
    uint32_t *touched;            // [touched_capacity]
    struct gather_slice *slices;  // [slice_capacity]
    uint32_t *slice_slots;        // [slice_slot_count] slice + 1, 0 empty
    uint32_t tally_capacity, touched_count, touched_capacity;
    uint32_t slice_count, slice_capacity, slice_slot_count;
};

struct gather_bucket {
    struct gather *gather;
    int64_t start_s;
    uint64_t stamp;    // grows from bucket to bucket that is opened
    uint64_t records;  // that reached it
    double events;     // the same, weighed by the summary count
    uint64_t refused;  // rows whose cell was not admitted
    bool partial;
    struct arena arena;
    struct bucket_list *lists;  // [list_capacity]
    uint32_t list_count, list_capacity;
    size_t detector_count;
    struct bucket_detector detectors[];
};

struct gather_bucket *bucket_new(size_t detectors);  // NULL when memory runs out
void bucket_free(struct gather_bucket *b);           // NULL is fine

/* Empties it and gives back what a steady stream does not need. */
void bucket_clear(struct gather_bucket *b);

/* A cell's tally; *fresh when this is its first row here. NULL when memory runs out. */
struct tally *bucket_touch(struct gather_bucket *b, size_t detector, uint32_t cell,
                           bool *fresh);

/* The tally of an influencer value of a cell. NULL when memory runs out, or when it would be a
 * new one and `full`. */
struct tally *bucket_slice(struct gather_bucket *b, size_t detector, uint32_t cell,
                           uint32_t influencer, uint32_t value, bool full, bool *fresh);

/* Appends a part to a tally's list; at the limit neighbours join. False when memory runs out.
 */
bool bucket_add_part(struct gather_bucket *b, struct tally *t, const struct part *part,
                     enum detector_function function);

/* Adds a value to a tally's set. False when memory runs out. */
bool bucket_add_value(struct gather_bucket *b, struct tally *t, uint64_t value);

/* A tally's list or set; NULL when it has none. */
const struct bucket_list *bucket_list(const struct gather_bucket *b, const struct tally *t);

size_t bucket_size(const struct gather_bucket *b);  // bytes

void bucket_save(const struct gather_bucket *b, struct pack *out);
bool bucket_load(struct gather_bucket *b, struct unpack *in);

#endif
