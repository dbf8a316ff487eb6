/* net/headers.c - see headers.h. */
#include "net/headers.h"

#include <string.h>

void headers_add(struct bytes *headers, const char *name, const char *value) {
    bytes_append(headers, name, strlen(name) + 1);
    bytes_append(headers, value, strlen(value) + 1);
}

void headers_each(const struct bytes *headers, headers_visit *visit, void *context) {
    for (size_t at = 0; at < headers->size;) {
        const char *name = headers->data + at;
        const char *value = name + strlen(name) + 1;
        visit(context, name, value);
        at = (size_t)(value - headers->data) + strlen(value) + 1;
    }
}
