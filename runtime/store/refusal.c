/* store/refusal.c - see refusal.h. */
#include "store/refusal.h"

#include <string.h>

static void write_cause(struct bytes *out, const struct cause *cause, const char *more) {
    bytes_append_text(out, "{\"type\":");
    bytes_append_quoted(out, cause->type, strlen(cause->type));
    bytes_append_text(out, ",\"reason\":");
    bytes_append_quoted(out, cause->reason, strlen(cause->reason));
    if (cause->caused_by) {
        bytes_append_text(out, ",\"caused_by\":");
        write_cause(out, cause->caused_by, "");
    }
    bytes_append_text(out, more);
    bytes_append_char(out, '}');
}

void refusal_write_more(struct bytes *out, const struct cause *cause, const char *more) {
    bytes_clear(out);
    write_cause(out, cause, more);
}

void refusal_write(struct bytes *out, const struct cause *cause) {
    refusal_write_more(out, cause, "");
}
