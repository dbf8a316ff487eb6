/* job/information.h - the information content of a set of texts: the length of the zlib stream
 * of the sorted texts, one behind the other. New or random-looking texts make it longer.
 * Source: elastic-model.md 8. */
#ifndef BLIP_JOB_INFORMATION_H
#define BLIP_JOB_INFORMATION_H

#include "job/dictionary.h"

/* Bytes; NaN when memory runs out.
 *   set  [capacity] ids + 1, 0 where there is none */
double information_of(const struct dictionary *texts, const uint64_t *set, size_t capacity);

#endif
