/* model/anomaly_model.h - the anomalies that a series has had: how long they were and how far
 * out. What is usual here as an anomaly is worth less, what is longer or larger keeps its
 * worth. An anomaly is a run of buckets with p < 0.1; spikes and dips are learned apart.
 * Source: elastic-model specification, chapter 7, step 5. */
#ifndef BLIP_MODEL_ANOMALY_MODEL_H
#define BLIP_MODEL_ANOMALY_MODEL_H

#include "model/pack.h"
#include "model/tail.h"

/* Two numbers, normally distributed with unknown mean and covariance. */
struct anomaly_pair {
    double count;
    double mean[2];
    double scatter[3];  // sums of squares xx, xy, yy around the mean
};

struct anomaly_model {
    struct anomaly_pair past[2];  // spikes, dips: (length in buckets, mean error)
    bool open;                    // an anomaly goes on
    int64_t first;                // its first bucket's number
    double buckets, error, side;  // its buckets with p < 0.1; their sums of |error| and error
    double learned;               // weight with which it has been learned so far
};

struct anomaly_bucket {
    int64_t number;    // start / span
    double ln_single;  // ln p of the bucket alone
    double ln_p;       // ln p of the bucket, the last hours included
    double error;      // its residual in standard deviations, with its sign
    double fade;       // decay rate per bucket
    double weight;     // < 1: a rule keeps the model from learning
};

/* What has been learned, and the anomaly that the bucket belongs to. */
struct anomaly_answer {
    double ln_p;        // in place of the bucket's ln p
    double ln_anomaly;  // ln of the probability of this anomaly among past ones; 0: unknown
};

struct anomaly_model anomaly_model_new(void);

/* Judges a bucket, and learns it unless `interim`. */
struct anomaly_answer anomaly_model_ask(struct anomaly_model *m, const struct anomaly_bucket *b,
                                        bool interim);

/* ln p corrected by ln p of the anomaly among past ones.
 *   ln_single  of the bucket alone */
double anomaly_model_correct(double ln_p, double ln_single, double ln_anomaly);

/* Buckets that the present anomaly has lasted up to bucket `number`; 0 = there is none. */
int anomaly_model_length(const struct anomaly_model *m, int64_t number);
enum tail anomaly_model_side(const struct anomaly_model *m);

void anomaly_model_save(const struct anomaly_model *m, struct pack *p);
bool anomaly_model_load(struct unpack *u, struct anomaly_model *out);

#endif
