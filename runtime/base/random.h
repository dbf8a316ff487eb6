/* base/random.h - a small seeded generator for models: the same numbers on every machine.
 * SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014): one
 * word of state, any seed is good, 2^64 numbers before it repeats. Not for secrets. */
#ifndef BLIP_BASE_RANDOM_H
#define BLIP_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct random {
    uint64_t state;
};

static inline uint64_t random_next(struct random *r) {
    uint64_t z = (r->state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

/* Uniform in the open interval (0, 1): its logarithm is always finite. */
static inline double random_unit(struct random *r) {
    return ((double)(random_next(r) >> 12) + 0.5) * 0x1p-52;
}

/* A seed for one of many generators, made from a seed and a name. */
uint64_t random_seed_for(uint64_t seed, const void *name, size_t size);

#endif
