/* base/time.h - clocks, and a moment as text. */
#ifndef BLIP_BASE_TIME_H
#define BLIP_BASE_TIME_H

#include <stddef.h>
#include <stdint.h>

/* Milliseconds since 1970-01-01T00:00:00Z; may jump when the clock is set. */
int64_t time_now_ms(void);

/* Nanoseconds since some start; never goes back. */
int64_t time_monotonic_ns(void);

/* Blocks the calling thread; never the loop's. */
void time_sleep_ms(int64_t ms);

#define TIME_TEXT_SIZE 32

/* Writes "2026-01-31T23:59:59.123Z" to out [TIME_TEXT_SIZE]; returns out. */
const char *time_format(int64_t ms, char *out);

#endif
