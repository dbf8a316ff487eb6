/* model/window.h - how far the window that ends now is from every earlier one.
 *
 *     rows  ... 7 2 5 9 3 [ 7 2 5 8 3 ]        the last `length` rows
 *           [ 7 2 5 9 3 ] 7 2 5 8 3            the same, `lag` = 5 rows ago
 *     squares[lag] = sum of the squared differences = 1
 *
 * One row moves every window by one: each sum gains the newest difference and loses the oldest.
 * The sums are kept by lag, not by position, so nothing moves and all loops run over contiguous
 * memory. Differences with rows before the first one count as 0. One lag a row is summed anew,
 * so that a spike that has passed leaves no rounding error behind.
 * Several features add up, each with its weight. Source: ensemble specification, section 3. */
#ifndef BLIP_MODEL_WINDOW_H
#define BLIP_MODEL_WINDOW_H

#include "base/error.h"
#include "model/past.h"
#include <stdbool.h>

#define WINDOW_COUNT 3
#define WINDOW_LONGEST 128
#define WINDOW_FAR 1e30f  // no difference counts for more; keeps every sum finite

/* Where the most similar earlier window lies. */
struct nearest {
    double distance;  // root of the mean squared difference per row; meaningless without lag
    size_t lag;       // rows ago; 0 = there is no earlier window yet
};

/* Held by value; windows_open() gives it memory, windows_close() takes it away. */
struct windows {
    size_t features;
    size_t history;                 // longest lag
    size_t length[WINDOW_COUNT];    // rows of each window, shortest first
    double *squares[WINDOW_COUNT];  // [history + 1] by lag; [0] is unused
    size_t turn;                    // which lag is next to be summed anew
};

/* STATUS_NO_MEMORY leaves it closed. */
enum status windows_open(struct windows *w, size_t features, size_t history,
                         const size_t length[WINDOW_COUNT], struct error *err);
void windows_close(struct windows *w);  // fine on a zeroed one, fine twice

/* Forgets all distances, as if no row had been seen. */
void windows_clear(struct windows *w);

/* Takes the newest row in and finds the nearest neighbour of every window.
 *   past     [features] the rows, the newest included; each keeps history + WINDOW_LONGEST + 2
 *   weights  [features], each at most WINDOW_FAR; a feature with weight 0 is left out
 *   rows     how many rows the past holds, the newest included
 *   out      [WINDOW_COUNT] */
void windows_push(struct windows *w, const struct past *past, const float *weights, size_t rows,
                  struct nearest out[WINDOW_COUNT]);

/* Sums everything anew, for other weights; rows and past as above, nothing is taken in. */
void windows_sum(struct windows *w, const struct past *past, const float *weights, size_t rows);

/* Share of each feature in the distance of a window to the one `lag` rows ago; sums to 1, or
 * is all 0 when the two are equal.
 *   shares  [features] */
void windows_shares(const struct windows *w, const struct past *past, const float *weights,
                    size_t window, size_t lag, double *shares);

/* Rows that each feature's past must keep. */
size_t windows_reach(const struct windows *w);
size_t windows_bytes(const struct windows *w);  // memory

#endif
