/* job/sampler.h - measurements in groups of n*, so that what a model learns does not depend on
 * how many rows a bucket has.
 *
 *     left from before   this bucket            n* = 3
 *     [ a b ]            [ c d e f g ]   ─▶   samples abc, def; g is left for the next bucket
 *
 * n* is the mean number of measurements per bucket, known after 3 buckets that had any, and
 * looked at again every 30. Source: elastic-model.md 3, sampling correction. */
#ifndef BLIP_JOB_SAMPLER_H
#define BLIP_JOB_SAMPLER_H

#include "job/feature.h"
#include "job/tally.h"
#include "model/pack.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PART_VALUES 3
#define PARTS_MAX 256          // parts that are kept exactly; then neighbours in time join
#define PARTS_MEDIAN_MAX 4096  // of a median: then every second part stays, at double weight

/* One or several measurements that were taken together. The values depend on the function:
 * mean, min, max, median: mean, smallest, largest; varp: mean, M2; lat_long: the two means;
 * times: time within the period. */
struct part {
    double time_s, count, value[PART_VALUES];
};

/* Sorts parts by time and halves their number. Returns how many are left. */
size_t parts_halve(struct part *parts, size_t count, enum detector_function function);

/* The weighted median of first values; sorts parts by value. */
double parts_median(struct part *parts, size_t count);

struct sampler {
    double per_sample;    // n*, 0 = not known
    double measurements;  // since n* was looked at
    uint32_t buckets;     // with measurements, since then
    uint32_t left, left_capacity;
    struct part *parts;  // [left]
};

void sampler_free(struct sampler *s);

/* Counts a bucket of `count` measurements, and sets n* when it is time to.
 *   least  smallest n*: 3 for varp, 1 for others */
void sampler_count(struct sampler *s, double count, double least);

/* Cuts parts in time order into groups of n* and appends one sample each to out, which has room
 * for `count`. Sorts parts. Returns how many samples; *used says how many parts are in them. */
size_t sampler_cut(const struct sampler *s, const struct feature *feature,
                   enum detector_function function, struct part *parts, size_t count,
                   struct sample *out, size_t *used);

/* Keeps the parts that are left over. False when memory runs out: they are then lost. */
bool sampler_keep(struct sampler *s, const struct part *parts, size_t count,
                  enum detector_function function);

void sampler_save(const struct sampler *s, struct pack *out);
bool sampler_load(struct sampler *s, struct unpack *in);

#endif
