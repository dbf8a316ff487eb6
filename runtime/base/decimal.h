/* base/decimal.h - doubles as decimal texts: the shortest that reads back as the same double,
 * and reading them. */
#ifndef BLIP_BASE_DECIMAL_H
#define BLIP_BASE_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DECIMAL_SIZE 32

/* Writes a finite value to out [DECIMAL_SIZE] and returns the length; not terminated. The text
 * has a point or an exponent, so that a reader sees a double: 1.0, 0.1, 1e+300. */
size_t decimal_write(char *out, double value);

/* Reads a text that is a finite number and nothing else, spaces around it and a plus sign
 * aside. */
bool decimal_read(const char *text, size_t size, double *value);

#ifdef __cplusplus
}
#endif

#endif
