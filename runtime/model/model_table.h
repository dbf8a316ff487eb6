/* model/model_table.h - the entities of a model set: text key -> slot with a model.
 *
 *     index  (open addressing)     slots (dense, in order of arrival)
 *     [ . 1 . . 0 . 2 . ]  ──▶     0: "cart"  model, changed, used
 *                                  1: "shop"  model, ...
 *
 * A slot keeps its position until model_table_sweep(). */
#ifndef BLIP_MODEL_MODEL_TABLE_H
#define BLIP_MODEL_MODEL_TABLE_H

#include "model/model.h"

#define MODEL_TABLE_NONE UINT32_MAX

struct model_slot {
    char *key;  // [key_size], not zero-terminated
    size_t key_size;
    struct model *model;  // NULL: not in memory
    size_t size_bytes;    // of the model when it was last looked at
    uint64_t used;        // the set's clock when it last scored
    bool changed;         // since it was saved or loaded
    // Times of rows; INT64_MIN = none.
    int64_t first_ms;  // the first row this model was given here
    int64_t last_ms;   // the last one it knows
    int64_t saved_ms;  // the last one that its saved bytes know
    int64_t known_ms;  // rows up to here were learned before it was loaded: passed over
};

struct model_table {
    struct model_slot *slots;
    size_t count, capacity;
    uint32_t *index;  // [index_size] position in slots, or MODEL_TABLE_NONE
    size_t index_size;
};

void model_table_free(struct model_table *t);

/* The position of a key, or MODEL_TABLE_NONE. */
uint32_t model_table_find(const struct model_table *t, const char *key, size_t size);

/* The position of a key, added without a model when it is new. STATUS_NO_MEMORY. */
enum status model_table_add(struct model_table *t, const char *key, size_t size, uint32_t *at,
                            struct error *err);

/* Removes the slots without a model; the others move up and keep their order. */
void model_table_sweep(struct model_table *t);

#endif
