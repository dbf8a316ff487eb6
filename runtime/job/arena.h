/* job/arena.h - memory that is given back all at once.
 * The lists and sets of a bucket grow in here and go when it closes. What an arena used last
 * time stays with it, up to a limit, so that a steady stream allocates nothing. */
#ifndef BLIP_JOB_ARENA_H
#define BLIP_JOB_ARENA_H

#include <stddef.h>

struct arena_chunk;

/* An empty arena is all zero. */
struct arena {
    struct arena_chunk *used, *spare;
    size_t at;          // bytes taken of the newest chunk
    size_t size_bytes;  // of all chunks
};

/* Memory aligned for any number; NULL when there is none. */
void *arena_take(struct arena *a, size_t size);

/* Copies `size` bytes to a new place of `grown` bytes; the old place stays unused. NULL as
 * above. */
void *arena_grow(struct arena *a, const void *old, size_t size, size_t grown);

/* Gives everything back and keeps at most keep_bytes for the next time. */
void arena_clear(struct arena *a, size_t keep_bytes);
void arena_free(struct arena *a);

#endif
