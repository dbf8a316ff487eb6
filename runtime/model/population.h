/* model/population.h - what keeps the samples of a population fair.
 * A population's series (see series.h) learns each person's bucket value as a sample: who is
 * busy weighs less, and very many samples become fewer.
 * Source: elastic-model, chapter 8 (population analysis); Cormode & Muthukrishnan, "An improved
 * data stream summary: the count-min sketch", 2005; Flajolet et al., "HyperLogLog", 2007. */
#ifndef BLIP_MODEL_POPULATION_H
#define BLIP_MODEL_POPULATION_H

#include "base/error.h"
#include "model/pack.h"
#include "model/series.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POPULATION_ROWS 3
#define POPULATION_COLUMNS 500
#define POPULATION_REGISTERS 256
#define POPULATION_MANY 10000  // samples of one bucket from which near-duplicates become one

// --- who is busy -----------------------------------------------------------------------------

/* Counts measurements per person, about. Held by value, 6 KB; all zero at first. */
struct population {
    float counts[POPULATION_ROWS][POPULATION_COLUMNS];
    uint8_t registers[POPULATION_REGISTERS];  // of the distinct persons
    double total;                             // of all persons' counts
};

/* Notes so many more measurements of a person, known by a 64-bit key of its name. */
void population_see(struct population *p, uint64_t person, double amount);

double population_mean(const struct population *p);  // measurements per person, about

/* The weight of a person's sample, in (0, 1]: the mean count per person by its own.
 *   mean  population_mean(), which is asked once for all */
double population_weight(const struct population *p, uint64_t person, double mean);

double population_persons(const struct population *p);  // about how many were seen

/* How much faster than usual a young population's models fade: 4 at first, 1 after three
 * weeks. */
double population_haste(double age_s);

/* Joins samples that lie within a sixtieth of a bucket and a ten-thousandth of the usual spread
 * of each other, when there are POPULATION_MANY or more; fewer stay as they are. What is left
 * is in an order that has nothing to do with the values, for it is learned one by one: a model
 * that meets the smallest first takes the largest for outliers. Returns how many are left. */
size_t population_merge(struct series_sample *samples, size_t count, int64_t bucket_span_s);

void population_save(const struct population *p, struct pack *to);
/* STATUS_INVALID; the population is then all zero. */
enum status population_load(struct population *p, struct unpack *from, struct error *err);

#endif
