/* model/outlier.h - how far a value is believed: what keeps an anomaly from explaining itself.
 * Source: elastic-model specification, chapter 4, step 1. */
#ifndef BLIP_MODEL_OUTLIER_H
#define BLIP_MODEL_OUTLIER_H

/* A value whose smaller tail is at least this is believed in full. */
#define OUTLIER_TAIL 1e-3

/* The weight in (0, 1] of a value.
 *   tail    the smaller one-sided tail of its residual, in [0, 1]
 *   derate  in [0, 1]: 1 where the model is young or has just changed; the smallest weight is
 *           then a half, else a hundredth */
double outlier_weight(double tail, double derate);

#endif
