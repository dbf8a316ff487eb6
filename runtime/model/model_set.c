/* model/model_set.c - see model_set.h. The set's life, its bytes and its budget; scoring a
 * frame is in model_score.c. */
#include "model/model_set_state.h"

#include "base/random.h"
#include "model/model_class.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum status model_set_new(const struct model_options *options, size_t threads,
                          struct model_set **out, struct error *err) {
    *out = NULL;
    struct model *probe;  // finds out whether the options are right
    enum status status = model_new(options, &probe, err);
    if (status != STATUS_OK) return status;
    model_free(probe);
    struct model_set *set = calloc(1, sizeof *set);
    if (!set) return fail(err, STATUS_NO_MEMORY, "no memory for a model set");
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    set->options = *options;
    set->threads = threads ? threads : cores > 0 ? (size_t)cores : 1;
    *out = set;
    return STATUS_OK;
}

void model_set_free(struct model_set *set) {
    if (!set) return;
    model_table_free(&set->table);
    free(set);
}

enum status model_set_model(const struct model_set *set, struct model_slot *slot,
                            struct error *err) {
    if (slot->model) return STATUS_OK;
    struct model_options options = set->options;
    options.seed = random_seed_for(set->options.seed, slot->key, slot->key_size);
    return model_new(&options, &slot->model, err);
}

bool model_set_next_changed(const struct model_set *set, size_t *at, const char **entity,
                            size_t *size) {
    for (size_t i = 0; i < set->table.count; i++) {
        *at = (set->save_from + i) % set->table.count;
        const struct model_slot *slot = &set->table.slots[*at];
        if (!slot->model || !slot->changed) continue;
        *entity = slot->key;
        *size = slot->key_size;
        return true;
    }
    return false;
}

enum status model_set_save(const struct model_set *set, size_t at, uint8_t *bytes,
                           size_t capacity, size_t *size, struct error *err) {
    return model_save(set->table.slots[at].model, bytes, capacity, size, err);
}

void model_set_saved(struct model_set *set, size_t at) {
    struct model_slot *slot = &set->table.slots[at];
    slot->changed = false;
    slot->saved_ms = slot->last_ms;
    set->save_from = at + 1;
}

int64_t model_set_unsaved_from(const struct model_set *set) {
    int64_t from = INT64_MAX;
    for (size_t i = 0; i < set->table.count; i++) {
        const struct model_slot *slot = &set->table.slots[i];
        if (!slot->model || !slot->changed) continue;
        int64_t own = slot->saved_ms == INT64_MIN ? slot->first_ms : slot->saved_ms + 1;
        if (own < from) from = own;
    }
    return from;
}

void model_set_each(const struct model_set *set, model_set_visit visit, void *context) {
    for (size_t i = 0; i < set->table.count; i++)
        if (set->table.slots[i].model)
            visit(context, set->table.slots[i].key, set->table.slots[i].key_size);
}

// Whether a saved model can go on under the set's options: what shapes its state is the same.
static bool same_shape(const struct model_options *a, const struct model_options *b) {
    return a->kind == b->kind && a->features == b->features && a->shingle == b->shingle &&
           a->trees == b->trees && a->samples == b->samples && a->time_decay == b->time_decay &&
           a->transform == b->transform && a->history == b->history &&
           a->interval_ms == b->interval_ms;
}

enum status model_set_load(struct model_set *set, const char *entity, size_t entity_size,
                           const uint8_t *bytes, size_t size, int64_t position_ms,
                           struct error *err) {
    struct model *m;
    enum status status = model_load(bytes, size, &m, err);
    if (status != STATUS_OK) return status;
    uint32_t at = MODEL_TABLE_NONE;
    if (!same_shape(model_options(m), &set->options))
        status = fail(err, STATUS_INVALID, "the saved model of '%.*s' has other options",
                      (int)entity_size, entity);
    else
        status = model_table_add(&set->table, entity, entity_size, &at, err);
    if (status != STATUS_OK) {
        model_free(m);
        return status;
    }
    uint64_t seed = m->options.seed;
    m->options = set->options;  // rules and thresholds may have changed since
    m->options.seed = seed;
    struct model_slot *slot = &set->table.slots[at];
    model_free(slot->model);
    slot->model = m;
    slot->size_bytes = model_size_bytes(m);
    slot->used = set->clock;
    slot->changed = false;
    slot->last_ms = slot->saved_ms = slot->known_ms = position_ms;
    return STATUS_OK;
}

static int compare_use(const void *a, const void *b) {
    const struct model_slot *x = *(struct model_slot *const *)a;
    const struct model_slot *y = *(struct model_slot *const *)b;
    if (x->used != y->used) return x->used < y->used ? -1 : 1;
    return x < y ? -1 : x > y;
}

// The models that may go, least recently used first; NULL without memory or without any.
static struct model_slot **idle_slots(const struct model_set *set, size_t *count) {
    struct model_slot **idle = malloc((set->table.count + 1) * sizeof(struct model_slot *));
    *count = 0;
    for (size_t i = 0; idle && i < set->table.count; i++)
        if (set->table.slots[i].model && !set->table.slots[i].changed)
            idle[(*count)++] = &set->table.slots[i];
    if (idle) qsort(idle, *count, sizeof *idle, compare_use);
    return idle;
}

size_t model_set_trim(struct model_set *set, size_t budget_bytes) {
    size_t size = model_set_size_bytes(set);
    if (size <= budget_bytes) return 0;
    size_t count, gone = 0;
    struct model_slot **idle = idle_slots(set, &count);
    for (; gone < count && size > budget_bytes; gone++) {
        size -= idle[gone]->size_bytes;
        model_free(idle[gone]->model);
        idle[gone]->model = NULL;
    }
    free(idle);
    model_table_sweep(&set->table);
    return gone;
}

size_t model_set_count(const struct model_set *set) {
    size_t count = 0;
    for (size_t i = 0; i < set->table.count; i++)
        count += set->table.slots[i].model != NULL;
    return count;
}

size_t model_set_size_bytes(const struct model_set *set) {
    size_t size = sizeof *set + set->table.capacity * sizeof *set->table.slots +
                  set->table.index_size * sizeof *set->table.index;
    for (size_t i = 0; i < set->table.count; i++)
        if (set->table.slots[i].model)
            size += set->table.slots[i].size_bytes + set->table.slots[i].key_size;
    return size;
}
