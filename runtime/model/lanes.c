/* model/lanes.c - see lanes.h. CMakeLists.txt compiles it with -ffinite-math-only and
 * -fno-signed-zeros, which change no result here: nothing is infinite, no NaN, no -0. */
#include "model/lanes.h"
#include <float.h>
#include <math.h>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) &&                         \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define CLONES __attribute__((target_clones("avx2", "default")))
#else
#define CLONES
#endif

static inline float lesser_float(float a, float b) { return a < b ? a : b; }
static inline double lesser(double a, double b) { return a < b ? a : b; }

// Four minima run side by side: one alone would wait for itself at every step.
CLONES float lanes_nearest(const float *values, size_t count, float x) {
    float a = FLT_MAX, b = FLT_MAX, c = FLT_MAX, d = FLT_MAX;
    size_t part = count / 4;
    const float *second = values + part, *third = second + part, *fourth = third + part;
    for (size_t i = 0; i < part; i++) {
        a = lesser_float(fabsf(x - values[i]), a);
        b = lesser_float(fabsf(x - second[i]), b);
        c = lesser_float(fabsf(x - third[i]), c);
        d = lesser_float(fabsf(x - fourth[i]), d);
    }
    for (size_t i = 4 * part; i < count; i++)
        a = lesser_float(fabsf(x - values[i]), a);
    return lesser_float(lesser_float(a, b), lesser_float(c, d));
}

CLONES double lanes_least(const double *values, size_t count) {
    double a = DBL_MAX, b = DBL_MAX;
    size_t part = count / 2;
    const double *second = values + part;
    for (size_t i = 0; i < part; i++) {
        a = lesser(values[i], a);
        b = lesser(second[i], b);
    }
    return count % 2 ? lesser(values[count - 1], lesser(a, b)) : lesser(a, b);
}

CLONES void lanes_squares(float *restrict out, const float *restrict values, float x,
                          float weight, size_t count) {
    for (size_t i = 0; i < count; i++) {
        float difference = x - values[i];
        out[i] = weight * (difference * difference);
    }
}

CLONES void lanes_add_squares(float *restrict sum, const float *restrict values, float x,
                              float weight, size_t count) {
    for (size_t i = 0; i < count; i++) {
        float difference = x - values[i];
        sum[i] += weight * (difference * difference);
    }
}

CLONES void lanes_add_squares_pair(float *restrict sum, const float *restrict values,
                                   const float *restrict others, float x, float y, float weight,
                                   float other_weight, size_t count) {
    for (size_t i = 0; i < count; i++) {
        float difference = x - values[i], other = y - others[i];
        sum[i] = (sum[i] + weight * (difference * difference)) + other_weight * (other * other);
    }
}

CLONES void lanes_add_gaps(float *restrict sum, const float *a, const float *b, float weight,
                           size_t count) {
    for (size_t i = 0; i < count; i++) {
        float difference = a[i] - b[i];
        sum[i] += weight * (difference * difference);
    }
}

CLONES void lanes_cap(float *values, float most, size_t count) {
    for (size_t i = 0; i < count; i++)
        values[i] = lesser_float(values[i], most);
}

CLONES double lanes_slide(double *restrict sums, const float *restrict newest,
                          const float *restrict oldest, size_t count) {
    double least = DBL_MAX;
    for (size_t i = 0; i < count; i++) {
        double moved = sums[i] + (double)newest[i] - (double)oldest[i];
        moved = moved > 0 ? moved : 0;
        sums[i] = moved;
        least = lesser(moved, least);
    }
    return least;
}
