/* model/sampler.c - see sampler.h. */
#include "model/sampler.h"

#include <math.h>

// Keys without decay lie between ln(-ln(1 - 1e-12)) = -28 and ln(-ln(1e-16)) = 3.6.
static const double lowest = -28, highest = 6;
static const double rebase_span = 8;  // decay between two rebases

void sampler_set(struct sampler *p, double decay, double initial_accept, size_t samples) {
    double spread = 4 * decay * (double)samples;  // decay between the samples of a tree
    p->decay = decay;
    p->initial_accept = initial_accept;
    p->unit = (highest - lowest + 2 * rebase_span + spread) / 65000;
    p->rebase_steps = (int)(rebase_span / p->unit);
    p->rebased = 0;
}

// Decay at update s since the last rebase.
static double decay_at(const struct sampler *p, uint64_t s) {
    return p->decay * (double)s - (double)p->rebased * p->rebase_steps * p->unit;
}

static int16_t clamp_key(double steps) {
    double most = INT16_MAX, least = INT16_MIN + 1;  // INT16_MIN is TREE_NO_KEY
    return (int16_t)fmax(least, fmin(most, steps));
}

// Step 0 lies so that the lowest key after rebase_span of decay is the smallest step.
static double key_origin(void) { return lowest - rebase_span; }

static int16_t encode(const struct sampler *p, double key) {
    return clamp_key(floor((key - key_origin()) / p->unit) + INT16_MIN + 1);
}

static double decode(const struct sampler *p, int16_t key) {
    return ((double)key - INT16_MIN - 0.5) * p->unit + key_origin();
}

bool sampler_due(const struct sampler *p, uint64_t s) { return decay_at(p, s) >= rebase_span; }

bool sampler_fits(const struct sampler *p, uint64_t s) {
    double decay = decay_at(p, s);
    return decay > -p->unit && decay < rebase_span + 2 * p->decay;
}

void sampler_raise(const struct sampler *p, const struct tree_space *space, struct tree *t) {
    int16_t *keys = tree_keys(space, t);
    for (size_t i = 0; i < space->samples; i++)
        if (keys[i] != TREE_NO_KEY) keys[i] = clamp_key((double)keys[i] + p->rebase_steps);
    if (t->size > 0) tree_find_worst(space, t);
}

void sampler_raised(struct sampler *p) { p->rebased++; }

// E(s): the mean number of keys below the largest one that update s would have.
static double hazard(const struct sampler *p, const struct tree_space *space,
                     const struct tree *t, uint64_t s) {
    return exp(decode(p, tree_keys(space, t)[t->worst]) + decay_at(p, s));
}

static uint64_t plan_next(const struct sampler *p, const struct tree_space *space,
                          struct tree *t, uint64_t s) {
    if (t->size == 0) return s + 1;
    double e = hazard(p, space, t, s + 1);
    double x = -log(random_unit(&t->random));
    double wait = log1p(x * expm1(p->decay) / e) / p->decay;
    return s + 1 + (uint64_t)fmin(wait, 0x1p60);
}

static uint64_t accept_planned(const struct sampler *p, const struct tree_space *space,
                               struct tree *t, size_t capacity, uint64_t s, uint16_t row) {
    double e = t->size > 0 ? hazard(p, space, t, s) : 1;
    double v = random_unit(&t->random);
    double key = log(-log1p(-v * -expm1(-e))) - decay_at(p, s);  // below the largest, given v
    if (t->size == capacity) tree_delete(space, t, t->worst);
    tree_insert(space, t, row, encode(p, key));
    return plan_next(p, space, t, s);
}

// A filling tree takes the first points, then more and more only those that beat its worst.
static bool wanted(const struct sampler *p, const struct tree_space *space, struct tree *t,
                   size_t capacity, int16_t key) {
    double filled = (double)t->size / (double)capacity;
    if (filled < p->initial_accept) return true;
    double chance = 1 - (filled - p->initial_accept) / (1 - p->initial_accept);
    if (random_unit(&t->random) < chance) return true;
    if (key >= tree_keys(space, t)[t->worst]) return false;
    tree_delete(space, t, t->worst);
    return true;
}

uint64_t sampler_offer(const struct sampler *p, const struct tree_space *space, struct tree *t,
                       size_t capacity, uint64_t s, uint16_t row) {
    if (t->full_once) return accept_planned(p, space, t, capacity, s, row);
    int16_t key = encode(p, log(-log(random_unit(&t->random))) - decay_at(p, s));
    if (wanted(p, space, t, capacity, key)) tree_insert(space, t, row, key);
    if (t->size < capacity) return s + 1;
    t->full_once = 1;
    return plan_next(p, space, t, s);
}
