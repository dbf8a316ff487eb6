/* base/time.c - see time.h. */
#include "base/time.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

static int64_t clock_ns(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t time_now_ms(void) { return clock_ns(CLOCK_REALTIME) / 1000000; }

int64_t time_monotonic_ns(void) { return clock_ns(CLOCK_MONOTONIC); }

void time_sleep_ms(int64_t ms) {
    if (ms <= 0) return;
    struct timespec rest = {.tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000};
    while (nanosleep(&rest, &rest) != 0 && errno == EINTR) {
    }
}

const char *time_format(int64_t ms, char *out) {
    time_t seconds = (time_t)(ms / 1000);
    int rest = (int)(ms % 1000);
    if (rest < 0) {
        rest += 1000;
        seconds--;
    }
    struct tm parts;
    gmtime_r(&seconds, &parts);
    size_t size = strftime(out, TIME_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(out + size, TIME_TEXT_SIZE - size, ".%03dZ", rest);
    return out;
}
