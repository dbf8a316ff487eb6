/* model/log_normal.h - a log-normal distribution whose parameters are unknown: a normal
 * (model/normal.h) of ln(x + offset), log-t as what it predicts.
 * The offset starts at 1 and grows so that x + offset stays at least 1.
 * Source: elastic-model specification, chapter 6. */
#ifndef BLIP_MODEL_LOG_NORMAL_H
#define BLIP_MODEL_LOG_NORMAL_H

#include "model/normal.h"

struct log_normal {
    struct normal logs;
    double offset;
};

struct log_normal log_normal_new(void);
bool log_normal_informed(const struct log_normal *l);
struct evidence log_normal_learn(struct log_normal *l, const struct family_sample *samples,
                                 size_t count, bool integer);
void log_normal_age(struct log_normal *l, double keep);

struct tails log_normal_tails(const struct log_normal *l, double x,
                              const struct family_scale *s);
/* Both sides watched: the mass beyond the two points of equal density. */
double log_normal_probability(const struct log_normal *l, double x,
                              const struct family_scale *s, enum tail watched,
                              struct tails *tails);
double log_normal_quantile(const struct log_normal *l, double p, const struct family_scale *s);
double log_normal_mean(const struct log_normal *l, bool integer);
double log_normal_variance(const struct log_normal *l);
double log_normal_mode(const struct log_normal *l, bool integer);

#endif
