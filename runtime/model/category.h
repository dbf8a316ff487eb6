/* model/category.h - how rare a value is among the values of its kind.
 * A multinomial whose concentrations are counts: of buckets that a value occurred in (rare), or
 * of persons that ever had it (rare ... over). The probability of a value is the share of all
 * that is as rare or rarer, expected over what is not known of the value's own share.
 *
 *     counts 9000, 990, 12  ─▶  p = 1, 0.106, 0.00126
 *
 * Source: elastic-model, chapter 8. */
#ifndef BLIP_MODEL_CATEGORY_H
#define BLIP_MODEL_CATEGORY_H

#include "base/error.h"
#include "model/pack.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct category;

/* Creates a multinomial without values; category_free() frees it. NULL when memory runs out. */
struct category *category_new(void);
void category_free(struct category *c);

/* Adds to the count of a value, known by a 64-bit key of its text. A negative amount takes
 * away; a count below 0.8 vanishes with the next category_age(). STATUS_NO_MEMORY. */
enum status category_learn(struct category *c, uint64_t key, double amount, struct error *err);

/* One bucket later: counts are multiplied by `keep` (1 = they stay), those below 0.8 vanish. */
void category_age(struct category *c, double keep);

/* The probability of a value, in (0, 1]. A value that is not known gets the smallest of those
 * that are; without any value it is 1. */
double category_probability(struct category *c, uint64_t key);

/* The value's share of all counts: what is typical. 0 for a value that is not known. */
double category_share(struct category *c, uint64_t key);

/* How many times rarer than the average value it is: above 1 for a rare one, 0 for a value that
 * is not known. */
double category_rarity(struct category *c, uint64_t key);

/* The weight of one of a person's n values for freq_rare: what it did often weighs more.
 *   part  of the person's events in the bucket that had the value */
double category_weight(double part, size_t n);

size_t category_count(const struct category *c);  // values that are known
size_t category_size(const struct category *c);   // bytes

void category_save(const struct category *c, struct pack *to);
/* STATUS_INVALID when the bytes are no saved multinomial, STATUS_NO_MEMORY. */
enum status category_load(struct unpack *from, struct category **out, struct error *err);

#endif
