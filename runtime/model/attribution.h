/* model/attribution.h - which coordinates of a point make its score, and in which direction.
 * Source: the specification's 2.8; the entries of both vectors sum to forest_score(). */
#ifndef BLIP_MODEL_ATTRIBUTION_H
#define BLIP_MODEL_ATTRIBUTION_H

#include "model/forest.h"

/* Fills high [dims] (the point lies above what the forest knows) and low [dims] (below). */
void forest_attribution(const struct forest *f, const float *point, double *high, double *low);

/* How far the point lies above (high [dims]) and below (low [dims]) what the forest knows, in
 * the unit of its coordinates: the expected way to the far side of the box that it leaves.
 * Source: the specification's 2.9. */
void forest_distance(const struct forest *f, const float *point, double *high, double *low);

/* The sum of one row's entries of both vectors; row 0 is the oldest of the shingle. */
double attribution_of_row(const struct forest *f, const double *high, const double *low,
                          size_t row);

#endif
