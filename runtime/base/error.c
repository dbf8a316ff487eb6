/* base/error.c - see error.h. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

enum status fail(struct error *err, enum status status, const char *format, ...) {
    if (!err) return status;
    err->status = status;
    va_list args;
    va_start(args, format);
    vsnprintf(err->reason, sizeof err->reason, format, args);
    va_end(args);
    return status;
}

const char *status_name(enum status status) {
    switch (status) {
    case STATUS_OK:
        return "ok";
    case STATUS_INVALID:
        return "invalid";
    case STATUS_NOT_FOUND:
        return "not_found";
    case STATUS_CONFLICT:
        return "conflict";
    case STATUS_TOO_LARGE:
        return "too_large";
    case STATUS_BUSY:
        return "busy";
    case STATUS_CANCELLED:
        return "cancelled";
    case STATUS_DENIED:
        return "denied";
    case STATUS_NO_MEMORY:
        return "no_memory";
    case STATUS_FAILED:
        return "failed";
    }
    return "failed";
}
