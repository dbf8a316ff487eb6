/* model/tail.h - the sides of a distribution. */
#ifndef BLIP_MODEL_TAIL_H
#define BLIP_MODEL_TAIL_H

/* As what a detector watches: both sides, or one alone. As an answer: where a value lies. */
enum tail { TAIL_BOTH, TAIL_BELOW, TAIL_ABOVE };

/* P(X <= x) and P(X >= x) of a value x; the sum is above 1 for discrete distributions. */
struct tails {
    double below, above;
};

#endif
