/* model/sampler.h - which points a tree holds: a reservoir that prefers young ones.
 *
 * A sample that arrives as update s gets the key ln(-ln u) - decay * s, u uniform, and a full
 * tree holds the smallest keys. Nothing is drawn for the points that a full tree passes over:
 * with the largest key K, a point at s beats it with hazard E(s) = exp(K + decay * s), so the
 * next acceptance is drawn ahead, one logarithm for each instead of one for each point.
 *
 * Keys are 16-bit steps of `unit`, relative to the decay so far; every `span` of decay all keys
 * of all trees are raised by the same number of steps, so no precision is lost with time.
 *
 * Source: Efraimidis, Spirakis, "Weighted random sampling with a reservoir", 2006, in the form
 * of the specification's 2.2. */
#ifndef BLIP_MODEL_SAMPLER_H
#define BLIP_MODEL_SAMPLER_H

#include "model/tree.h"

struct sampler {
    double decay;           // per update
    double initial_accept;  // share of a tree that fills with the first points
    double unit;            // of a key
    int rebase_steps;       // what keys are raised by at a time
    uint64_t rebased;       // times they were
};

void sampler_set(struct sampler *p, double decay, double initial_accept, size_t samples);

/* Whether keys must be raised before update `s`; then sampler_raise() every tree and call
 * sampler_raised(). */
bool sampler_due(const struct sampler *p, uint64_t s);
void sampler_raise(const struct sampler *p, const struct tree_space *space, struct tree *t);
void sampler_raised(struct sampler *p);

/* Whether the count of rebases is one that `s` updates lead to. */
bool sampler_fits(const struct sampler *p, uint64_t s);

/* Offers the point at `row`, update s, to a tree that may want it: one that is filling, or
 * whose planned acceptance is s. Returns the update at which to offer again. capacity: samples
 * of a full tree. */
uint64_t sampler_offer(const struct sampler *p, const struct tree_space *space, struct tree *t,
                       size_t capacity, uint64_t s, uint16_t row);

#endif
