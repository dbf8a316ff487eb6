/* model/place.h - where something usually is: latitudes and longitudes around a few places.
 * Longitudes count from the first place that was learnt, the shorter way round.
 * Source: elastic-model, chapter 8 (lat_long). */
#ifndef BLIP_MODEL_PLACE_H
#define BLIP_MODEL_PLACE_H

#include "base/error.h"
#include "model/modes.h"
#include "model/pack.h"
#include <stdbool.h>
#include <stddef.h>

struct place_point {
    double lat, lon;  // degrees
};

/* Held by value; place_start() makes it ready. */
struct place {
    struct modes modes;
    double origin;  // longitude
    bool begun;     // the origin is known
};

void place_start(struct place *p);

/* What is usual: asked once before a bucket is learnt, and once for all questions after it. */
void place_look(const struct place *p, struct modes_fit *usual);

/* Learns a point, an outlier at less weight.
 *   usual  before the bucket */
void place_learn(struct place *p, const struct modes_fit *usual, struct place_point at,
                 double weight);

void place_age(struct place *p, double keep);  // one bucket later

/* The probability of what is less likely than a point; 1 until three were learnt. */
double place_probability(const struct place *p, const struct modes_fit *usual,
                         struct place_point at);

/* The usual place that is nearest to a point. */
struct place_point place_typical(const struct place *p, struct place_point at);

void place_save(const struct place *p, struct pack *to);
/* Fills a started model. STATUS_INVALID. */
enum status place_load(struct place *p, struct unpack *from, struct error *err);

#endif
