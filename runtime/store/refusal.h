/* store/refusal.h - why one document was refused, as Elasticsearch's error object. */
#ifndef BLIP_STORE_REFUSAL_H
#define BLIP_STORE_REFUSAL_H

#include "base/bytes.h"

/* An error and what caused it. */
struct cause {
    const char *type;
    const char *reason;
    const struct cause *caused_by;  // NULL at the end
};

/* Writes {"type":...,"reason":...,"caused_by":{...}} over what `out` holds. */
void refusal_write(struct bytes *out, const struct cause *cause);

/* As above, with more keys of the outermost object: `more` is ,"key":value... or "". */
void refusal_write_more(struct bytes *out, const struct cause *cause, const char *more);

#endif
