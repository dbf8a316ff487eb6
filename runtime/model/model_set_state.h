/* model/model_set_state.h - what model_set.c and model_score.c share; nobody else includes it.
 */
#ifndef BLIP_MODEL_MODEL_SET_STATE_H
#define BLIP_MODEL_MODEL_SET_STATE_H

#include "model/model_set.h"
#include "model/model_table.h"

struct model_set {
    struct model_options options;
    size_t threads;
    uint64_t clock;    // counts model_set_score() calls; orders slots by use
    size_t save_from;  // the slot at which the next round of saving begins
    struct model_table table;
};

/* Makes sure that a slot has a model. */
enum status model_set_model(const struct model_set *set, struct model_slot *slot,
                            struct error *err);

#endif
