/* model/multi_bucket.h - the mean residual of the last twelve buckets, newer ones weighing
 * more: what no bucket shows alone and all together do.
 *
 *     mean = sum 0.9^j w_j r_j / sum 0.9^j w_j      j buckets back, 9 of 12 at least present
 *
 * Source: elastic-model specification, chapter 7, steps 3, 4 and 6. */
#ifndef BLIP_MODEL_MULTI_BUCKET_H
#define BLIP_MODEL_MULTI_BUCKET_H

#include "model/residual.h"
#include <stdint.h>

enum { MULTI_BUCKETS = 12 };

struct multi_bucket {
    double value[MULTI_BUCKETS];  // of bucket b in slot b mod 12
    float weight[MULTI_BUCKETS];  // 0 = the bucket had no value
    int64_t newest;               // the bucket's number: its start / span
    struct residual residual;     // of the means
};

/* The mean of the buckets up to one. */
struct multi_mean {
    double value;
    size_t count;  // of buckets that were present; 0: too few, there is no mean
};

struct multi_bucket multi_bucket_new(void);

/* Puts a bucket's residual into the ring; what is older than twelve buckets falls out.
 *   number  of the bucket, not below the newest
 *   weight  of the value, > 0: its count by its variance scale */
void multi_bucket_add(struct multi_bucket *m, int64_t number, double value, double weight);

/* The mean of the twelve buckets that end with `number`, the newest one. */
struct multi_mean multi_bucket_mean(const struct multi_bucket *m);

/* Forgets the buckets, not how their means are distributed. */
void multi_bucket_clear(struct multi_bucket *m);

/* Learns the present mean, if there is one.
 *   weight  as a count of samples, > 0: what an independent mean would count
 *   derate  as in model/outlier.h */
void multi_bucket_learn(struct multi_bucket *m, double weight, double derate);

/* The probability of a mean on the watched sides: twice the (smaller) tail.
 *   variance  of one bucket's residual: means of independent ones would vary by a tenth of it,
 *             and are not taken to vary less however little was seen of them */
double multi_bucket_probability(const struct multi_bucket *m, double mean, double variance,
                                enum tail watched);

/* Which of two logarithms of probabilities decides: -5 the single bucket's, 5 the multi
 * bucket's; floored to two decimals. */
double multi_bucket_impact(double ln_single, double ln_multi);

void multi_bucket_save(const struct multi_bucket *m, struct pack *p);
bool multi_bucket_load(struct unpack *u, struct multi_bucket *out);

#endif
