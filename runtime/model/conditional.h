/* model/conditional.h - what the forest expects: of a point with missing coordinates, and what
 * it holds near a whole one. Source: the specification's 2.9 and 2.10. */
#ifndef BLIP_MODEL_CONDITIONAL_H
#define BLIP_MODEL_CONDITIONAL_H

#include "model/forest.h"

/* Replaces the coordinates [dims] that are marked missing [dims] by the medians, over the
 * trees, of each tree's most typical completion. What they held before does not matter. The
 * forest is not empty. STATUS_NO_MEMORY. */
enum status forest_impute(const struct forest *f, float *point, const uint8_t *missing,
                          struct error *err);

/* A point that one or more trees lead to. */
struct neighbour {
    uint16_t row;     // of the ring: its coordinates are tree_point(&f->space, row)
    uint16_t trees;   // that lead to it
    double distance;  // Euclidean
};

/* Fills out [trees] with the leaves that the trees lead a point to, equal rows merged. Returns
 * their number. */
size_t forest_neighbours(const struct forest *f, const float *point, struct neighbour *out);

#endif
