/* net/reply.c - see reply.h. */
#include "net/reply.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void reply_clear(struct reply *r) {
    bytes_free(&r->headers);
    bytes_free(&r->body);
    *r = (struct reply){0};
}

static void append_cause(struct bytes *body, const char *type, const char *reason) {
    bytes_append_text(body, "\"type\":");
    bytes_append_quoted(body, type, strlen(type));
    bytes_append_text(body, ",\"reason\":");
    bytes_append_quoted(body, reason, strlen(reason));
}

void reply_error(struct reply *r, unsigned status, const char *type, const char *format, ...) {
    char reason[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);

    reply_clear(r);
    r->status = status;
    headers_add(&r->headers, "Content-Type", "application/json; charset=UTF-8");
    bytes_append_text(&r->body, "{\"error\":{\"root_cause\":[{");
    append_cause(&r->body, type, reason);
    bytes_append_text(&r->body, "}],");
    append_cause(&r->body, type, reason);
    bytes_append_format(&r->body, "},\"status\":%u}", status);
}

void reply_text(struct reply *r, unsigned status, const char *text) {
    reply_clear(r);
    r->status = status;
    headers_add(&r->headers, "Content-Type", "text/plain; charset=UTF-8");
    bytes_append_text(&r->body, text);
}
