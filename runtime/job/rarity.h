/* job/rarity.h - what rare and freq_rare know: per partition value, how often each by value
 * occurred. Without an over field that is the number of buckets, which fades; with one the
 * number of persons that ever had it. Source: elastic-model, chapter 8. */
#ifndef BLIP_JOB_RARITY_H
#define BLIP_JOB_RARITY_H

#include "base/error.h"
#include "model/category.h"
#include "model/pack.h"
#include <stddef.h>
#include <stdint.h>

struct rarity_part {
    uint64_t partition;  // key of the partition value
    struct category *categories;
};

/* Held by value; all zero at first. */
struct rarity {
    struct rarity_part *parts;  // by key
    size_t count, capacity;
    uint8_t *counted;  // [cells] with an over field: 1 = the person's value is in the counts
    size_t cells;
};
void rarity_clear(struct rarity *r);

/* The categories of a partition value; NULL when there are none yet. */
struct category *rarity_find(const struct rarity *r, uint64_t partition);

/* The same, made when there are none. STATUS_NO_MEMORY. */
enum status rarity_get(struct rarity *r, uint64_t partition, struct category **out,
                       struct error *err);

/* Notes that the person and value of a cell of the gather are counted; *fresh = they were not
 * yet. rarity_forget() when the cell goes: its number may come again. STATUS_NO_MEMORY. */
enum status rarity_count(struct rarity *r, uint32_t cell, bool *fresh, struct error *err);
void rarity_forget(struct rarity *r, uint32_t cell);

/* One bucket later; partitions without a value are forgotten. */
void rarity_age(struct rarity *r, double keep);

size_t rarity_size(const struct rarity *r);  // bytes

void rarity_save(const struct rarity *r, struct pack *to);
/* Fills an empty one. STATUS_INVALID, STATUS_NO_MEMORY; clear it then. */
enum status rarity_load(struct rarity *r, struct unpack *from, struct error *err);

#endif
