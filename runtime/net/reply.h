/* net/reply.h - the answer to a request, before it goes out. */
#ifndef BLIP_NET_REPLY_H
#define BLIP_NET_REPLY_H

#include "base/bytes.h"
#include "net/headers.h"
#include <stdbool.h>

/* All zero is an empty reply. */
struct reply {
    unsigned status;       // HTTP
    struct bytes headers;  // see headers.h
    struct bytes body;
    bool packed;  // the body is gzip
};

void reply_clear(struct reply *r);  // frees what it holds; empty again

/* Makes the reply an error in Elasticsearch's shape, in the place of what it was:
 *   {"error":{"root_cause":[{"type":T,"reason":R}],"type":T,"reason":R},"status":S} */
void reply_error(struct reply *r, unsigned status, const char *type, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Makes the reply plain text. */
void reply_text(struct reply *r, unsigned status, const char *text);

#endif
