/* net/gzip.h - gzip bodies, in as a stream with a limit and out at once. */
#ifndef BLIP_NET_GZIP_H
#define BLIP_NET_GZIP_H

#include "base/bytes.h"
#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>

struct gunzip;

/* Starts reading a gzip stream. NULL when memory runs out; gunzip_free() frees it. */
struct gunzip *gunzip_new(void);
void gunzip_free(struct gunzip *g);  // NULL is fine

/* Appends what the next piece of the stream unpacks to.
 * STATUS_INVALID when it is not gzip, STATUS_TOO_LARGE when out would exceed size_max bytes,
 * STATUS_NO_MEMORY. */
enum status gunzip_push(struct gunzip *g, const void *data, size_t size, size_t size_max,
                        struct bytes *out, struct error *err);

/* The stream has come to its end, checksum and all. */
bool gunzip_done(const struct gunzip *g);

/* Replaces a buffer by its gzip form; leaves it as it is when that fails or is not smaller.
 * True when it was replaced. */
bool gzip_pack(struct bytes *b);

#endif
