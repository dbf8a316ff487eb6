/* job/cells.h - the combinations of partition, by and over value that one detector has seen.
 *
 *     (partition, by, over) ─▶ cell 0, 1, 2 ...        numbers of freed cells are taken again
 *     (partition, by)       ─▶ model 0, 1, 2 ...       with an over field; else model = cell
 *
 * Source: elastic-model.md 2 (gatherer) and 3 (samples, exclude_frequent). */
#ifndef BLIP_JOB_CELLS_H
#define BLIP_JOB_CELLS_H

#include "job/dictionary.h"
#include "job/gather.h"
#include "job/sampler.h"

struct cells {
    bool shared;  // an over field: cells share models
    bool sampled;
    struct gather_cell *list;  // [capacity]
    uint32_t *slots;           // [slot_count] cell + 1 by its key, 0 empty
    uint32_t *free_numbers;    // [capacity] a stack
    size_t count, free_count, capacity, slot_count;
    struct cell_model {
        uint32_t partition, by, cells;  // live cells; 0: the number is free
    } * models;                         // [model_capacity] when shared
    uint32_t *model_slots;              // [model_slot_count]
    size_t model_count, models_free, model_capacity, model_slot_count;
    struct sampler *samplers;  // by model, when sampled
    size_t sampler_capacity;
};

void cells_init(struct cells *c, bool shared, bool sampled);
void cells_free(struct cells *c);

/* The number of a cell, GATHER_NONE when it is new. */
uint32_t cells_find(const struct cells *c, uint32_t partition, uint32_t by, uint32_t over);

/* Makes a cell that is not in here; it holds its texts. GATHER_NONE when memory runs out. */
uint32_t cells_add(struct cells *c, struct dictionary *texts, uint32_t partition, uint32_t by,
                   uint32_t over, int64_t bucket_s);

/* Frees a cell; its model's number in *gone when no cell is left to it, else GATHER_NONE. */
void cells_remove(struct cells *c, struct dictionary *texts, uint32_t cell, uint32_t *gone);

size_t cells_models(const struct cells *c);
size_t cells_size(const struct cells *c);  // bytes

void cells_save(const struct cells *c, struct pack *out);
/* Reads into empty cells; texts are checked and held. */
bool cells_load(struct cells *c, struct dictionary *texts, struct unpack *in);

#endif
