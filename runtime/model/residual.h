/* model/residual.h - how what is left of a series is distributed: an average over families,
 * each weighted by how well it has predicted so far ("one of N").
 * Source: elastic-model specification, chapter 6. */
#ifndef BLIP_MODEL_RESIDUAL_H
#define BLIP_MODEL_RESIDUAL_H

#include "model/family.h"
#include "model/normal.h"
#include "model/pack.h"

struct residual {
    struct normal normal;
    bool integer;  // every value so far was integral
};

struct residual residual_new(bool count);
bool residual_informed(const struct residual *r);
void residual_learn(struct residual *r, const struct family_sample *samples, size_t count);
void residual_age(struct residual *r, double keep);

/* Probability of values less likely than x on the watched sides; *tail (may be NULL) says where
 * x lies. 1 while nothing is known. */
double residual_probability(const struct residual *r, double x, double seasonal_scale,
                            double count_scale, enum tail watched, enum tail *tail);
double residual_quantile(const struct residual *r, double p, double seasonal_scale,
                         double count_scale);
double residual_mean(const struct residual *r);
double residual_variance(const struct residual *r);

void residual_save(const struct residual *r, struct pack *p);
bool residual_load(struct unpack *u, struct residual *out);

#endif
