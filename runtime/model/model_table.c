/* model/model_table.c - see model_table.h. */
#include "model/model_table.h"

#include "model/pack.h"
#include <stdlib.h>
#include <string.h>

void model_table_free(struct model_table *t) {
    for (size_t i = 0; i < t->count; i++) {
        free(t->slots[i].key);
        model_free(t->slots[i].model);
    }
    free(t->slots);
    free(t->index);
    *t = (struct model_table){0};
}

// Where a key is in the index, or the free place where it would go.
static size_t probe(const struct model_table *t, const char *key, size_t size) {
    size_t mask = t->index_size - 1;
    size_t at = pack_checksum((const uint8_t *)key, size) & mask;
    while (t->index[at] != MODEL_TABLE_NONE) {
        const struct model_slot *slot = &t->slots[t->index[at]];
        // The entity of rows without a category is empty, and may have no address.
        if (slot->key_size == size && (size == 0 || memcmp(slot->key, key, size) == 0)) break;
        at = (at + 1) & mask;
    }
    return at;
}

uint32_t model_table_find(const struct model_table *t, const char *key, size_t size) {
    return t->index_size ? t->index[probe(t, key, size)] : MODEL_TABLE_NONE;
}

static void rebuild_index(struct model_table *t) {
    for (size_t i = 0; i < t->index_size; i++)
        t->index[i] = MODEL_TABLE_NONE;
    for (size_t i = 0; i < t->count; i++)
        t->index[probe(t, t->slots[i].key, t->slots[i].key_size)] = (uint32_t)i;
}

// Room for one more: slots double, the index stays at most half full.
static enum status reserve(struct model_table *t, struct error *err) {
    if (t->count < t->capacity) return STATUS_OK;
    size_t capacity = t->capacity ? 2 * t->capacity : 16;
    struct model_slot *slots = realloc(t->slots, capacity * sizeof *slots);
    if (slots) t->slots = slots;
    uint32_t *index = slots ? realloc(t->index, 2 * capacity * sizeof *index) : NULL;
    if (!index) return fail(err, STATUS_NO_MEMORY, "no memory for %zu models", capacity);
    t->index = index;
    t->capacity = capacity;
    t->index_size = 2 * capacity;
    rebuild_index(t);
    return STATUS_OK;
}

enum status model_table_add(struct model_table *t, const char *key, size_t size, uint32_t *at,
                            struct error *err) {
    *at = model_table_find(t, key, size);
    if (*at != MODEL_TABLE_NONE) return STATUS_OK;
    enum status status = reserve(t, err);
    if (status != STATUS_OK) return status;
    char *copy = malloc(size ? size : 1);
    if (!copy) return fail(err, STATUS_NO_MEMORY, "no memory for an entity's key");
    if (size) memcpy(copy, key, size);
    *at = (uint32_t)t->count++;
    t->slots[*at] = (struct model_slot){.key = copy,
                                        .key_size = size,
                                        .first_ms = INT64_MIN,
                                        .last_ms = INT64_MIN,
                                        .saved_ms = INT64_MIN,
                                        .known_ms = INT64_MIN};
    t->index[probe(t, key, size)] = *at;
    return STATUS_OK;
}

void model_table_sweep(struct model_table *t) {
    size_t kept = 0;
    for (size_t i = 0; i < t->count; i++) {
        if (t->slots[i].model)
            t->slots[kept++] = t->slots[i];
        else
            free(t->slots[i].key);
    }
    t->count = kept;
    rebuild_index(t);
}
