/* net/gzip.c - see gzip.h. */
#include "net/gzip.h"

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

// zlib's window of 32 KB with a gzip header and trailer.
#define GZIP_WINDOW (15 + 16)
// Answers are packed while somebody waits: fast beats small.
#define PACK_LEVEL 1
#define PIECE 65536

struct gunzip {
    z_stream stream;
    bool done;
};

struct gunzip *gunzip_new(void) {
    struct gunzip *g = calloc(1, sizeof *g);
    if (g && inflateInit2(&g->stream, GZIP_WINDOW) == Z_OK) return g;
    free(g);
    return NULL;
}

void gunzip_free(struct gunzip *g) {
    if (!g) return;
    inflateEnd(&g->stream);
    free(g);
}

bool gunzip_done(const struct gunzip *g) { return g->done; }

// Unpacks into one more piece of out.
static int inflate_piece(struct gunzip *g, struct bytes *out) {
    char *end = bytes_reserve(out, PIECE);
    if (!end) return Z_MEM_ERROR;
    g->stream.next_out = (Bytef *)end;
    g->stream.avail_out = PIECE;
    int result = inflate(&g->stream, Z_NO_FLUSH);
    out->size += PIECE - g->stream.avail_out;
    return result;
}

enum status gunzip_push(struct gunzip *g, const void *data, size_t size, size_t size_max,
                        struct bytes *out, struct error *err) {
    g->stream.next_in = (Bytef *)data;
    g->stream.avail_in = (uInt)size;
    do {
        if (g->done && inflateReset(&g->stream) == Z_OK) g->done = false;  // one more member
        int result = inflate_piece(g, out);
        if (result == Z_STREAM_END)
            g->done = true;
        else if (result == Z_MEM_ERROR)
            return fail(err, STATUS_NO_MEMORY, "not enough memory to unpack the body");
        else if (result != Z_OK && result != Z_BUF_ERROR)
            return fail(err, STATUS_INVALID, "the body is not valid gzip: %s",
                        g->stream.msg ? g->stream.msg : "broken stream");
        if (out->size > size_max)
            return fail(err, STATUS_TOO_LARGE, "the unpacked body is larger than %zu bytes",
                        size_max);
    } while (g->stream.avail_in > 0 || g->stream.avail_out == 0);
    return STATUS_OK;
}

// Packs b into out [out_size]; returns the size, 0 when it does not fit.
static size_t pack(const struct bytes *b, char *out, size_t out_size) {
    z_stream stream = {0};
    if (deflateInit2(&stream, PACK_LEVEL, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) !=
        Z_OK)
        return 0;
    stream.next_in = (Bytef *)b->data;
    stream.avail_in = (uInt)b->size;
    stream.next_out = (Bytef *)out;
    stream.avail_out = (uInt)out_size;
    int result = deflate(&stream, Z_FINISH);
    size_t size = result == Z_STREAM_END ? out_size - stream.avail_out : 0;
    deflateEnd(&stream);
    return size;
}

bool gzip_pack(struct bytes *b) {
    if (b->size == 0 || b->size > UINT_MAX) return false;
    char *out = malloc(b->size);
    size_t size = out ? pack(b, out, b->size) : 0;
    if (size == 0) {
        free(out);
        return false;
    }
    size_t capacity = b->size;
    free(b->data);
    *b = (struct bytes){.data = out, .size = size, .capacity = capacity};
    return true;
}
