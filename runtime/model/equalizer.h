/* model/equalizer.h - makes the probabilities of several detectors comparable.
 * A detector that says "one in a million" every hour would drown the others. Per detector a
 * sketch keeps what it has said, as -ln p; a new probability is replaced by the one that is as
 * unusual for the median detector as this one is for its own. At 0.05 nothing changes, from
 * 1e-4 on only that rank counts. Source: elastic-model, chapter 9 ("equaliser"). */
#ifndef BLIP_MODEL_EQUALIZER_H
#define BLIP_MODEL_EQUALIZER_H

#include "base/error.h"
#include "model/pack.h"
#include <stddef.h>

#define EQUALIZER_POINTS 100

/* Ascending points with their weights. Held by value; all zero at first. */
struct equalizer_sketch {
    size_t count;
    double at[EQUALIZER_POINTS], weight[EQUALIZER_POINTS];
    double total;
};

struct equalizer {
    size_t detectors;
    struct equalizer_sketch *sketches;  // [detectors]
    double *ranked;                     // [detectors], scratch
};

/* Makes an equaliser for so many detectors; equalizer_free() frees what it holds.
 * STATUS_NO_MEMORY. With one detector, or none, it changes nothing and takes no room. */
enum status equalizer_start(struct equalizer *e, size_t detectors, struct error *err);
void equalizer_free(struct equalizer *e);

/* Learns that a detector said p; what is above 0.05 is not kept. */
void equalizer_learn(struct equalizer *e, size_t detector, double p);

/* The probability that takes p's place; p itself above 0.05 and until every detector has been
 * heard twice. */
double equalizer_correct(const struct equalizer *e, size_t detector, double p);

/* One bucket later: all weights are multiplied by fade. */
void equalizer_age(struct equalizer *e, double fade);

void equalizer_save(const struct equalizer *e, struct pack *to);
/* Fills an equaliser of as many detectors. STATUS_INVALID; it is then as started. */
enum status equalizer_load(struct equalizer *e, struct unpack *from, struct error *err);

#endif
