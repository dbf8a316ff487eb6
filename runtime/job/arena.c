/* job/arena.c - see arena.h. */
#include "job/arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_SIZE ((size_t)64 << 10)
#define ALIGNMENT alignof(max_align_t)

struct arena_chunk {
    struct arena_chunk *next;
    size_t size;
    alignas(ALIGNMENT) char bytes[];
};

static struct arena_chunk *new_chunk(struct arena *a, size_t size) {
    struct arena_chunk *chunk = a->spare;
    if (chunk && chunk->size >= size) {
        a->spare = chunk->next;
        return chunk;
    }
    size_t room = size > CHUNK_SIZE ? size : CHUNK_SIZE;
    chunk = malloc(sizeof *chunk + room);
    if (!chunk) return NULL;
    chunk->size = room;
    a->size_bytes += room;
    return chunk;
}

void *arena_take(struct arena *a, size_t size) {
    size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (!a->used || a->used->size - a->at < size) {
        struct arena_chunk *chunk = new_chunk(a, size);
        if (!chunk) return NULL;
        chunk->next = a->used;
        a->used = chunk;
        a->at = 0;
    }
    void *taken = a->used->bytes + a->at;
    a->at += size;
    return taken;
}

void *arena_grow(struct arena *a, const void *old, size_t size, size_t grown) {
    void *place = arena_take(a, grown);
    if (place && size) memcpy(place, old, size);
    return place;
}

// Moves a chunk to the spare ones while they stay below the limit, else frees it.
static void retire(struct arena *a, struct arena_chunk *chunk, size_t *kept, size_t keep) {
    if (*kept + chunk->size <= keep && chunk->size == CHUNK_SIZE) {
        *kept += chunk->size;
        chunk->next = a->spare;
        a->spare = chunk;
        return;
    }
    a->size_bytes -= chunk->size;
    free(chunk);
}

void arena_clear(struct arena *a, size_t keep_bytes) {
    size_t kept = 0;
    struct arena_chunk *lists[] = {a->spare, a->used};
    a->spare = a->used = NULL;
    a->at = 0;
    for (size_t i = 0; i < 2; i++)
        for (struct arena_chunk *chunk = lists[i], *next; chunk; chunk = next) {
            next = chunk->next;
            retire(a, chunk, &kept, keep_bytes);
        }
}

void arena_free(struct arena *a) { arena_clear(a, 0); }
