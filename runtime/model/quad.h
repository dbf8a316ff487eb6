/* model/quad.h - four floats at a time, the same bits on every processor.
 *
 * GCC's vector types stand for SSE2 on x86-64 and NEON on arm64; what they lack (minimum and
 * maximum) is one instruction each. Sums run down the four lanes, then across them, in one
 * fixed order, so a result never depends on the width of the machine. No value is NaN or -0
 * here. */
#ifndef BLIP_MODEL_QUAD_H
#define BLIP_MODEL_QUAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define QUAD 4
#define QUAD_INLINE static inline __attribute__((always_inline))

typedef float quad __attribute__((vector_size(16)));
typedef int32_t quad_mask __attribute__((vector_size(16)));

QUAD_INLINE quad quad_load(const float *p) {
    quad v;
    memcpy(&v, p, sizeof v);
    return v;
}

QUAD_INLINE void quad_store(float *p, quad v) { memcpy(p, &v, sizeof v); }

QUAD_INLINE quad quad_and(quad a, quad_mask m) { return (quad)((quad_mask)a & m); }

#if defined(__SSE2__)
QUAD_INLINE quad quad_min(quad a, quad b) { return (quad)_mm_min_ps((__m128)a, (__m128)b); }
QUAD_INLINE quad quad_max(quad a, quad b) { return (quad)_mm_max_ps((__m128)a, (__m128)b); }
/* Whether a lane is above 0. */
QUAD_INLINE bool quad_positive(quad a) { return _mm_movemask_ps((__m128)(a > (quad){0})) != 0; }
#else
QUAD_INLINE bool quad_positive(quad a) { return a[0] > 0 || a[1] > 0 || a[2] > 0 || a[3] > 0; }
QUAD_INLINE quad quad_min(quad a, quad b) {
    quad_mask m = a < b;
    return (quad)(((quad_mask)a & m) | ((quad_mask)b & ~m));
}
QUAD_INLINE quad quad_max(quad a, quad b) {
    quad_mask m = a > b;
    return (quad)(((quad_mask)a & m) | ((quad_mask)b & ~m));
}
#endif

QUAD_INLINE bool quad_equal(quad a, quad b) {
    quad_mask m = a == b;
    return (m[0] & m[1] & m[2] & m[3]) != 0;
}

QUAD_INLINE double quad_sum(quad a) {
    quad pairs = a + __builtin_shufflevector(a, a, 2, 3, 0, 1);
    return (double)(pairs[0] + pairs[1]);
}

#endif
