/* net/request.c - see request.h. */
#include "net/request.h"

#include "base/time.h"
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct request *request_new(struct server *server, const char *uri) {
    struct request *r = calloc(1, sizeof *r);
    if (!r) return NULL;
    r->server = server;
    r->started_ns = time_monotonic_ns();
    r->uri = strdup(uri);
    if (r->uri) return r;
    free(r);
    return NULL;
}

void request_free(struct request *r) {
    if (!r) return;
    gunzip_free(r->gunzip);
    bytes_free(&r->headers);
    bytes_free(&r->body);
    reply_clear(&r->reply);
    free(r->opaque_id);
    free(r->uri);
    free(r);
}

// "gzip" stands in a list such as "deflate, gzip;q=0.8" and is not refused by q=0.
static bool lists_gzip(const char *list) {
    const char *at = strcasestr(list, "gzip");
    if (!at) return false;
    const char *weight = at + strcspn(at, ",;");
    double q = 1;
    return *weight != ';' || sscanf(weight, "; q=%lf", &q) != 1 || q > 0;
}

static bool note_header(struct request *r, const char *name, const char *value) {
    if (strcasecmp(name, "accept-encoding") == 0) {
        r->accepts_gzip = lists_gzip(value);
    } else if (strcasecmp(name, "content-encoding") == 0 && strcasecmp(value, "gzip") == 0) {
        return r->gunzip || (r->gunzip = gunzip_new());
    } else if (strcasecmp(name, "authorization") == 0) {
        r->named = true;
    } else if (strcasecmp(name, "x-opaque-id") == 0 && !r->opaque_id) {
        return (r->opaque_id = strdup(value)) != NULL;
    }
    return true;
}

bool request_add_header(struct request *r, const char *name, const char *value) {
    if (!note_header(r, name, value)) return false;
    size_t start = r->headers.size;
    headers_add(&r->headers, name, value);
    if (!bytes_ok(&r->headers)) return false;
    for (char *c = r->headers.data + start; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return true;
}

enum status request_add_body(struct request *r, const void *data, size_t size,
                             size_t received_max, size_t unpacked_max, struct error *err) {
    r->has_body = true;
    r->received += size;
    if (r->received > received_max)
        return fail(err, STATUS_TOO_LARGE, "the body is larger than %zu bytes", received_max);
    if (r->gunzip) return gunzip_push(r->gunzip, data, size, unpacked_max, &r->body, err);
    bytes_append(&r->body, data, size);
    if (!bytes_ok(&r->body))
        return fail(err, STATUS_NO_MEMORY, "not enough memory for the body");
    return STATUS_OK;
}

void request_refuse(struct request *r, unsigned status, const char *type, const char *format,
                    ...) {
    char reason[512];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    reply_error(&r->reply, status, type, "%s", reason);
    r->refused = true;
    bytes_free(&r->body);
}
