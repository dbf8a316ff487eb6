/* model/slot.h - the mean of the values of one step of time, in six bytes. */
#ifndef BLIP_MODEL_SLOT_H
#define BLIP_MODEL_SLOT_H

#include "model/pack.h"
#include <math.h>
#include <stdbool.h>
#include <string.h>

#define SLOT_ONE 16  // weight of one value

/* Empty when all zero. */
struct slot {
    uint16_t mean[2];  // the bits of a float
    uint16_t weight;   // sixteenths of a value; 0 = nothing came
};

static inline double slot_mean(const struct slot *s) {
    float mean;
    memcpy(&mean, s->mean, sizeof mean);
    return (double)mean;
}

/* Adds a value of a weight in sixteenths, > 0. */
static inline void slot_add(struct slot *s, double value, double sixteenths) {
    double weight = s->weight, gain = sixteenths / (weight + sixteenths);
    double old = weight > 0 ? slot_mean(s) : value;
    float mean = (float)(old + gain * (value - old));
    memcpy(s->mean, &mean, sizeof mean);
    s->weight = (uint16_t)fmin(weight + sixteenths, UINT16_MAX);
}

static inline void slot_save(const struct slot *s, struct pack *p) {
    pack_u16(p, s->mean[0]);
    pack_u16(p, s->mean[1]);
    pack_u16(p, s->weight);
}

/* false: the mean is no number. */
static inline bool slot_load(struct slot *s, struct unpack *u) {
    s->mean[0] = unpack_u16(u);
    s->mean[1] = unpack_u16(u);
    s->weight = unpack_u16(u);
    return isfinite(slot_mean(s));
}

#endif
