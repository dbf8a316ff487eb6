/* net/headers.h - header fields in one buffer: "name\0value\0" again and again. */
#ifndef BLIP_NET_HEADERS_H
#define BLIP_NET_HEADERS_H

#include "base/bytes.h"

void headers_add(struct bytes *headers, const char *name, const char *value);

typedef void headers_visit(void *context, const char *name, const char *value);

/* Calls visit for every header, in the order in which they were added. */
void headers_each(const struct bytes *headers, headers_visit *visit, void *context);

#endif
