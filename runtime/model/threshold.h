/* model/threshold.h - from a score to a threshold and a raw grade, by what scores were before.
 * Source: the specification's chapter 4. */
#ifndef BLIP_MODEL_THRESHOLD_H
#define BLIP_MODEL_THRESHOLD_H

#include "model/deviation.h"
#include "model/model.h"

struct threshold {
    struct deviation scores;     // forgets at the forest's decay
    struct deviation changes;    // of the score from point to point; at the anomaly rate
    struct deviation shortfall;  // below the mean; at half the decay
};

struct threshold_answer {
    double threshold;  // above which the grade is positive; the score itself when it is not
    double grade;      // 0..1 in sixteenths
};

struct threshold_answer threshold_ask(const struct threshold *t, const struct model_options *o,
                                      double score);

/* Learns a score. corrected: the score without what the past explains; last: the score before,
 * 0 for a shingle of one row. */
void threshold_learn(struct threshold *t, const struct model_options *o, double score,
                     double corrected, double last);

void threshold_save(const struct threshold *t, struct pack *out);
bool threshold_load(struct threshold *t, struct unpack *in);

#endif
