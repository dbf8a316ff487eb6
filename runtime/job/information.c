/* job/information.c - see information.h. */
#include "job/information.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#define ZLIB_CONST
#include <zlib.h>

struct text {
    const char *bytes;
    size_t size;
};

static int by_bytes(const void *a, const void *b) {
    const struct text *x = a, *y = b;
    size_t least = x->size < y->size ? x->size : y->size;
    int order = least ? memcmp(x->bytes, y->bytes, least) : 0;
    return order ? order : (x->size > y->size) - (x->size < y->size);
}

// Compresses what is there; returns how many bytes came out, or -1.
static double squeeze(z_stream *z, int flush) {
    unsigned char out[4096];
    double size = 0;
    do {
        z->next_out = out;
        z->avail_out = sizeof out;
        if (deflate(z, flush) == Z_STREAM_ERROR) return -1;
        size += (double)(sizeof out - z->avail_out);
    } while (z->avail_out == 0);
    return size;
}

static double compressed_size(const struct text *list, size_t count) {
    z_stream z = {0};
    if (deflateInit(&z, Z_DEFAULT_COMPRESSION) != Z_OK) return NAN;
    double size = 0;
    for (size_t i = 0; i < count; i++) {
        z.next_in = (const unsigned char *)list[i].bytes;
        z.avail_in = (unsigned)list[i].size;
        size += squeeze(&z, Z_NO_FLUSH);
    }
    size += squeeze(&z, Z_FINISH);
    deflateEnd(&z);
    return size;
}

double information_of(const struct dictionary *texts, const uint64_t *set, size_t capacity) {
    size_t count = 0;
    struct text *list = malloc((capacity + 1) * sizeof *list);
    if (!list) return NAN;
    for (size_t i = 0; i < capacity; i++) {
        if (!set[i]) continue;
        struct text *t = &list[count++];
        t->bytes = dictionary_text(texts, (uint32_t)(set[i] - 1), &t->size);
    }
    qsort(list, count, sizeof *list, by_bytes);
    double size = compressed_size(list, count);
    free(list);
    return size;
}
