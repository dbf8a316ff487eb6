#include "model/window.h"
#include "model/lanes.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 512  // lags that go through all windows together: they stay in the first cache

enum status windows_open(struct windows *w, size_t features, size_t history,
                         const size_t length[WINDOW_COUNT], struct error *err) {
    w->features = features;
    w->history = history;
    w->turn = 0;
    memcpy(w->length, length, sizeof w->length);
    for (size_t k = 0; k < WINDOW_COUNT; k++)
        w->squares[k] = calloc(history + 1, sizeof(double));
    for (size_t k = 0; k < WINDOW_COUNT; k++)
        if (!w->squares[k]) {
            windows_close(w);
            return fail(err, STATUS_NO_MEMORY, "no memory for %zu lags", history);
        }
    return STATUS_OK;
}

void windows_close(struct windows *w) {
    for (size_t k = 0; k < WINDOW_COUNT; k++) {
        free(w->squares[k]);
        w->squares[k] = NULL;
    }
}

void windows_clear(struct windows *w) {
    w->turn = 0;
    for (size_t k = 0; k < WINDOW_COUNT; k++)
        memset(w->squares[k], 0, (w->history + 1) * sizeof(double));
}

size_t windows_reach(const struct windows *w) { return w->history + WINDOW_LONGEST + 2; }

size_t windows_bytes(const struct windows *w) {
    return WINDOW_COUNT * (w->history + 1) * sizeof(double);
}

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

// gaps[i] = weighted squared difference of the row `back` rows ago to the one first + i rows
// before it
static void row_gaps(float *gaps, const struct windows *w, const struct past *past,
                     const float *weights, size_t back, size_t first, size_t count) {
    if (w->features == 1) {
        const float *a = &past_now(past)[back];
        lanes_squares(gaps, &a[first], a[0], weights[0], count);
        return;
    }
    memset(gaps, 0, count * sizeof *gaps);
    size_t waiting = w->features;  // a feature that waits for a partner; features = none
    for (size_t q = 0; q < w->features; q++) {
        if (weights[q] == 0) continue;
        if (waiting == w->features) {
            waiting = q;
            continue;
        }
        const float *a = &past_now(&past[waiting])[back], *b = &past_now(&past[q])[back];
        lanes_add_squares_pair(gaps, &a[first], &b[first], a[0], b[0], weights[waiting],
                               weights[q], count);
        waiting = w->features;
    }
    if (waiting < w->features) {
        const float *a = &past_now(&past[waiting])[back];
        lanes_add_squares(gaps, &a[first], a[0], weights[waiting], count);
    }
    lanes_cap(gaps, WINDOW_FAR, count);
}

// Like row_gaps, but 0 where the earlier row lies before the first one.
static void leaving_gaps(float *gaps, const struct windows *w, const struct past *past,
                         const float *weights, size_t back, size_t first, size_t count,
                         size_t rows) {
    size_t reach = rows > back + first ? rows - back - first : 0;
    size_t known = smaller(count, reach);
    row_gaps(gaps, w, past, weights, back, first, known);
    memset(&gaps[known], 0, (count - known) * sizeof *gaps);
}

// Sums one lag of every window from its rows: sums[WINDOW_COUNT].
static void sum_lag(const struct windows *w, const struct past *past, const float *weights,
                    size_t lag, size_t rows, double *sums) {
    float gaps[WINDOW_LONGEST] = {0};
    size_t known = smaller(WINDOW_LONGEST, rows - lag);
    for (size_t q = 0; q < w->features; q++) {
        const float *now = past_now(&past[q]);
        if (weights[q] != 0) lanes_add_gaps(gaps, now, &now[lag], weights[q], known);
    }
    lanes_cap(gaps, WINDOW_FAR, known);
    double sum = 0;
    for (size_t back = 0, k = 0; k < WINDOW_COUNT; sums[k++] = sum)
        for (; back < w->length[k]; back++)
            sum += (double)gaps[back];
}

// The lags at which a window has a neighbour: [*from, *to], empty when from > to.
static void neighbours(const struct windows *w, size_t window, size_t rows, size_t *from,
                       size_t *to) {
    size_t length = w->length[window];
    *from = length < 16 ? 16 : length;
    *to = rows < length ? 0 : smaller(w->history, rows - length);
}

// The least of a block's sums that belong to neighbours; `least` is that of the whole block.
static double least_neighbour(const struct windows *w, size_t window, size_t first,
                              size_t count, size_t rows, double least) {
    size_t from, to, last = first + count - 1;
    neighbours(w, window, rows, &from, &to);
    if (from <= first && last <= to) return least;
    if (from < first) from = first;
    if (to > last) to = last;
    return from > to ? INFINITY : lanes_least(&w->squares[window][from], to - from + 1);
}

// The largest lag of a block that has this sum.
static size_t lag_of(const struct windows *w, size_t window, size_t block, size_t rows,
                     double sum) {
    size_t from, to;
    neighbours(w, window, rows, &from, &to);
    size_t lag = smaller(to, block + BLOCK - 1);
    while (lag > from && w->squares[window][lag] != sum)
        lag--;
    return lag;
}

// The lag that is summed anew with this row, and its sums.
struct anew {
    size_t lag;  // 0 = none
    double sums[WINDOW_COUNT];
};

// Moves a block of one window's sums on by the newest row; returns the least neighbour's.
static double push_block(struct windows *w, const struct past *past, const float *weights,
                         size_t window, const float *newest, size_t first, size_t count,
                         size_t rows, const struct anew *anew) {
    float oldest[BLOCK];
    double *sums = &w->squares[window][first];
    leaving_gaps(oldest, w, past, weights, w->length[window], first, count, rows);
    double least = lanes_slide(sums, newest, oldest, count);
    if (anew->lag - first < count) {  // a sum that changes: the least of the block may too
        sums[anew->lag - first] = anew->sums[window];
        least = lanes_least(sums, count);
    }
    return least_neighbour(w, window, first, count, rows, least);
}

void windows_push(struct windows *w, const struct past *past, const float *weights, size_t rows,
                  struct nearest out[WINDOW_COUNT]) {
    float newest[BLOCK];
    size_t lags = smaller(rows - 1, w->history), block[WINDOW_COUNT] = {0};
    double smallest[WINDOW_COUNT] = {INFINITY, INFINITY, INFINITY};
    struct anew anew = {.lag = lags ? 1 + w->turn++ % lags : 0};
    if (anew.lag) sum_lag(w, past, weights, anew.lag, rows, anew.sums);
    for (size_t first = 1; first <= lags; first += BLOCK) {
        size_t count = smaller(BLOCK, lags - first + 1);
        row_gaps(newest, w, past, weights, 0, first, count);
        for (size_t k = 0; k < WINDOW_COUNT; k++) {
            double least = push_block(w, past, weights, k, newest, first, count, rows, &anew);
            if (least > smallest[k] || least == INFINITY) continue;  // ties: the largest lag
            smallest[k] = least;
            block[k] = first;
        }
    }
    for (size_t k = 0; k < WINDOW_COUNT; k++) {
        bool found = smallest[k] < INFINITY;
        out[k].lag = found ? lag_of(w, k, block[k], rows, smallest[k]) : 0;
        out[k].distance = found ? sqrt(smallest[k] / (double)w->length[k]) : 0;
    }
}

void windows_sum(struct windows *w, const struct past *past, const float *weights,
                 size_t rows) {
    float gaps[BLOCK];
    static const float none[BLOCK];
    size_t lags = rows ? smaller(rows - 1, w->history) : 0;
    for (size_t first = 1; first <= lags; first += BLOCK) {
        size_t count = smaller(BLOCK, lags - first + 1);
        for (size_t k = 0; k < WINDOW_COUNT; k++)
            memset(&w->squares[k][first], 0, count * sizeof(double));
        for (size_t back = 0; back < WINDOW_LONGEST && back + first < rows; back++) {
            leaving_gaps(gaps, w, past, weights, back, first, count, rows);
            for (size_t k = 0; k < WINDOW_COUNT; k++)
                if (back < w->length[k]) lanes_slide(&w->squares[k][first], gaps, none, count);
        }
    }
}

void windows_shares(const struct windows *w, const struct past *past, const float *weights,
                    size_t window, size_t lag, double *shares) {
    double total = 0;
    for (size_t q = 0; q < w->features; q++) {
        const float *now = past_now(&past[q]);
        shares[q] = 0;
        for (size_t back = 0; back < w->length[window]; back++) {
            double difference = (double)now[back] - (double)now[back + lag];
            shares[q] += (double)weights[q] * difference * difference;
        }
        total += shares[q];
    }
    for (size_t q = 0; q < w->features && total > 0; q++)
        shares[q] /= total;
}
