/* base/text.h - a text that somebody else owns: not terminated, may hold zero bytes. */
#ifndef BLIP_BASE_TEXT_H
#define BLIP_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct text {
    const char *data;  // NULL = no text at all, which is not the empty text
    size_t size;       // bytes
};

static inline struct text text_of(const char *terminated) {
    return (struct text){terminated, terminated ? strlen(terminated) : 0};
}

static inline bool text_equal(struct text a, struct text b) {
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

#endif
