/* model/lanes.h - loops that the compiler turns into vector instructions.
 *
 * The program runs on any x86-64; functions marked LANES_CLONES exist twice, and the loader
 * takes the AVX2 one where the machine has it. Both give the same bits: element by element the
 * arithmetic is the same (nothing is contracted or regrouped), and a minimum is free of order.
 */
#ifndef BLIP_MODEL_LANES_H
#define BLIP_MODEL_LANES_H

#define LANES 16  // independent minima of one loop

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) &&                         \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define LANES_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define LANES_CLONES
#endif

#endif
