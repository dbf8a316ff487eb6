/* model/lanes.h - the straight loops that the ensemble spends its time in, written so that the
 * compiler turns them into vector instructions.
 *
 * The program runs on any x86-64; on this processor family every loop exists twice, and the
 * loader takes the AVX2 one where the machine has it. Both give the same bits: element by
 * element the arithmetic is the same (nothing is contracted or regrouped), and a minimum does
 * not care for the order. All values are finite: lanes.c is compiled so that the compiler may
 * count on it, without which it vectorises no minimum. */
#ifndef BLIP_MODEL_LANES_H
#define BLIP_MODEL_LANES_H

#include <stddef.h>

/* The least |x - values[i]|; FLT_MAX when count is 0. */
float lanes_nearest(const float *values, size_t count, float x);

/* The least of values; DBL_MAX when count is 0. */
double lanes_least(const double *values, size_t count);

/* out[i] = weight * (x - values[i])^2 */
void lanes_squares(float *restrict out, const float *restrict values, float x, float weight,
                   size_t count);

/* sum[i] += weight * (x - values[i])^2 */
void lanes_add_squares(float *restrict sum, const float *restrict values, float x, float weight,
                       size_t count);

/* Two of these at once, in this order: half the traffic. */
void lanes_add_squares_pair(float *restrict sum, const float *restrict values,
                            const float *restrict others, float x, float y, float weight,
                            float other_weight, size_t count);

/* sum[i] += weight * (a[i] - b[i])^2 */
void lanes_add_gaps(float *restrict sum, const float *a, const float *b, float weight,
                    size_t count);

/* values[i] = min(values[i], most) */
void lanes_cap(float *values, float most, size_t count);

/* sums[i] = max(sums[i] + newest[i] - oldest[i], 0): rounding must not make it negative.
 * Returns the least of them. */
double lanes_slide(double *restrict sums, const float *restrict newest,
                   const float *restrict oldest, size_t count);

#endif
