/* base/random.c - see random.h. */
#include "base/random.h"

uint64_t random_seed_for(uint64_t seed, const void *name, size_t size) {
    const unsigned char *bytes = name;
    struct random r = {.state = seed};
    for (size_t i = 0; i < size; i++)
        r.state = random_next(&r) ^ bytes[i];
    return random_next(&r);
}
