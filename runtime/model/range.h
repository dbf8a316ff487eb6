/* model/range.h - where the values of one feature have been so far: deviation, extremes, and
 * the weight that makes it comparable with others.
 * Source: ensemble specification, sections 2, 3 and 5. */
#ifndef BLIP_MODEL_RANGE_H
#define BLIP_MODEL_RANGE_H

#include <stdbool.h>
#include <stdint.h>

/* Held by value; all zero at first. Values are differences from the feature's first one. */
struct range {
    uint64_t count;
    double sum, squares;  // of the values and their squares; never aged
    double low, high;
};

void range_learn(struct range *r, double value);

/* Standard deviation; 0 before the first value. */
double range_deviation(const struct range *r);

/* How far a value lies outside the extremes, as log2(1 + excess / width); 1 when all values so
 * far were equal and this one differs; 0 inside, and before the first value. */
double range_excess(const struct range *r, double value);

/* 1 / (deviation * width), or 0 for a feature that was constant so far.
 *   first  the feature's first value: what counts as constant depends on its size */
double range_weight(const struct range *r, double first);

#endif
