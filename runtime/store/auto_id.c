/* store/auto_id.c - see auto_id.h.
 * 15 bytes in base 64: a 56-bit counter that starts at the clock's microseconds, and 64 random
 * bits of this process. Neighbours share most letters, which compresses well. */
#include "store/auto_id.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/random.h>
#include <time.h>

static atomic_uint_fast64_t counter;
static uint64_t process;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void start(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    atomic_store(&counter, (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
    if (getrandom(&process, sizeof process, 0) != sizeof process)
        process = (uint64_t)now.tv_nsec * 0x9E3779B97F4A7C15u;
}

void auto_id_make(char out[AUTO_ID_SIZE]) {
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    pthread_once(&once, start);
    uint64_t number = atomic_fetch_add(&counter, 1);
    unsigned char bytes[15];
    for (int i = 0; i < 7; i++)
        bytes[i] = (unsigned char)(number >> (48 - 8 * i));
    for (int i = 0; i < 8; i++)
        bytes[7 + i] = (unsigned char)(process >> (56 - 8 * i));
    for (int i = 0; i < 5; i++) {
        unsigned three =
            (unsigned)bytes[3 * i] << 16 | (unsigned)bytes[3 * i + 1] << 8 | bytes[3 * i + 2];
        for (int k = 0; k < 4; k++)
            out[4 * i + k] = digits[three >> (18 - 6 * k) & 63];
    }
}
