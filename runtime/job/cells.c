/* job/cells.c - see cells.h: open addressing over cells, and over models, by what they are of.
 */
#include "job/cells.h"

#include "base/hash.h"
#include <stdlib.h>
#include <string.h>

#define FEWEST 16

void cells_init(struct cells *c, bool shared, bool sampled) {
    *c = (struct cells){.shared = shared, .sampled = sampled};
}

void cells_free(struct cells *c) {
    for (size_t i = 0; i < c->sampler_capacity; i++)
        sampler_free(&c->samplers[i]);
    free(c->samplers);
    free(c->list);
    free(c->slots);
    free(c->free_numbers);
    free(c->models);
    free(c->model_slots);
    *c = (struct cells){0};
}

size_t cells_models(const struct cells *c) { return c->shared ? c->model_count : c->count; }

// --- slots -----------------------------------------------------------------------------------

static size_t home(uint32_t partition, uint32_t by, uint32_t over, size_t slots) {
    return (size_t)hash_words(partition, by, over) & (slots - 1);
}

static size_t cell_slot(const struct cells *c, uint32_t partition, uint32_t by, uint32_t over) {
    size_t slot = home(partition, by, over, c->slot_count);
    for (; c->slots[slot]; slot = (slot + 1) & (c->slot_count - 1)) {
        const struct gather_cell *cell = &c->list[c->slots[slot] - 1];
        if (cell->partition == partition && cell->by == by && cell->over == over) break;
    }
    return slot;
}

static size_t model_slot(const struct cells *c, uint32_t partition, uint32_t by) {
    size_t slot = home(partition, by, GATHER_NONE, c->model_slot_count);
    for (; c->model_slots[slot]; slot = (slot + 1) & (c->model_slot_count - 1)) {
        const struct cell_model *m = &c->models[c->model_slots[slot] - 1];
        if (m->partition == partition && m->by == by) break;
    }
    return slot;
}

static void fill_cell_slots(struct cells *c) {
    memset(c->slots, 0, c->slot_count * sizeof *c->slots);
    for (size_t i = 0; i < c->count; i++) {
        const struct gather_cell *cell = &c->list[i];
        if (cell->live)
            c->slots[cell_slot(c, cell->partition, cell->by, cell->over)] = (uint32_t)i + 1;
    }
}

static void fill_model_slots(struct cells *c) {
    memset(c->model_slots, 0, c->model_slot_count * sizeof *c->model_slots);
    for (size_t i = 0; i < c->model_count; i++)
        if (c->models[i].cells)
            c->model_slots[model_slot(c, c->models[i].partition, c->models[i].by)] =
                (uint32_t)i + 1;
}

// Takes the entry at a slot out, and moves those behind it that it had pushed on (Knuth 6.4,
// algorithm R); `home_of` says where an entry would like to be.
static void empty_slot(const struct cells *c, uint32_t *slots, size_t slot_count, size_t slot,
                       size_t (*home_of)(const struct cells *c, uint32_t number)) {
    size_t mask = slot_count - 1, hole = slot;
    for (size_t at = (hole + 1) & mask; slots[at]; at = (at + 1) & mask) {
        size_t wanted = home_of(c, slots[at] - 1);
        if (((at - wanted) & mask) < ((at - hole) & mask)) continue;
        slots[hole] = slots[at];
        hole = at;
    }
    slots[hole] = 0;
}

static size_t cell_home(const struct cells *c, uint32_t number) {
    const struct gather_cell *cell = &c->list[number];
    return home(cell->partition, cell->by, cell->over, c->slot_count);
}

static size_t model_home(const struct cells *c, uint32_t number) {
    const struct cell_model *m = &c->models[number];
    return home(m->partition, m->by, GATHER_NONE, c->model_slot_count);
}

// --- growing ---------------------------------------------------------------------------------

static bool grow_cell_slots(struct cells *c) {
    size_t count = c->slot_count ? 2 * c->slot_count : 2 * FEWEST;
    uint32_t *slots = realloc(c->slots, count * sizeof *slots);
    if (!slots) return false;
    c->slots = slots;
    c->slot_count = count;
    fill_cell_slots(c);
    return true;
}

static bool grow_cells(struct cells *c) {
    size_t capacity = c->capacity ? 2 * c->capacity : FEWEST;
    if (capacity >= GATHER_NONE) return false;
    struct gather_cell *list = realloc(c->list, capacity * sizeof *list);
    if (list) c->list = list;
    uint32_t *numbers = list ? realloc(c->free_numbers, capacity * sizeof *numbers) : NULL;
    if (!numbers) return false;
    c->free_numbers = numbers;
    c->capacity = capacity;
    return true;
}

static bool room_for_cell(struct cells *c) {
    size_t live = c->count - c->free_count;
    if (live + 1 > c->slot_count / 2 && !grow_cell_slots(c)) return false;
    return c->free_count || c->count < c->capacity || grow_cells(c);
}

static bool grow_model_slots(struct cells *c) {
    size_t count = c->model_slot_count ? 2 * c->model_slot_count : 2 * FEWEST;
    uint32_t *slots = realloc(c->model_slots, count * sizeof *slots);
    if (!slots) return false;
    c->model_slots = slots;
    c->model_slot_count = count;
    fill_model_slots(c);
    return true;
}

static bool grow_models(struct cells *c) {
    size_t capacity = c->model_capacity ? 2 * c->model_capacity : FEWEST;
    struct cell_model *models = realloc(c->models, capacity * sizeof *models);
    if (!models) return false;
    c->models = models;
    c->model_capacity = capacity;
    return true;
}

static bool room_for_model(struct cells *c) {
    if (c->model_count + 1 > c->model_slot_count / 2 && !grow_model_slots(c)) return false;
    return c->model_count < c->model_capacity || grow_models(c);
}

static bool room_for_sampler(struct cells *c, uint32_t model) {
    if (!c->sampled || model < c->sampler_capacity) return true;
    size_t capacity = c->sampler_capacity ? 2 * c->sampler_capacity : FEWEST;
    while (capacity <= model)
        capacity *= 2;
    struct sampler *samplers = realloc(c->samplers, capacity * sizeof *samplers);
    if (!samplers) return false;
    memset(&samplers[c->sampler_capacity], 0,
           (capacity - c->sampler_capacity) * sizeof *samplers);
    c->samplers = samplers;
    c->sampler_capacity = capacity;
    return true;
}

// --- cells -----------------------------------------------------------------------------------

uint32_t cells_find(const struct cells *c, uint32_t partition, uint32_t by, uint32_t over) {
    if (c->slot_count == 0) return GATHER_NONE;
    return c->slots[cell_slot(c, partition, by, over)] - 1;
}

// A number that no model has.
static uint32_t free_model(const struct cells *c) {
    for (size_t i = 0; c->models_free && i < c->model_count; i++)
        if (c->models[i].cells == 0) return (uint32_t)i;
    return (uint32_t)c->model_count;
}

// The model of a new cell of a population.
static uint32_t shared_model(struct cells *c, uint32_t partition, uint32_t by) {
    if (!room_for_model(c)) return GATHER_NONE;
    size_t slot = model_slot(c, partition, by);
    if (c->model_slots[slot]) return c->model_slots[slot] - 1;
    uint32_t model = free_model(c);
    if (model == c->model_count)
        c->model_count++;
    else
        c->models_free--;
    c->models[model] = (struct cell_model){partition, by, 0};
    c->model_slots[slot] = model + 1;
    return model;
}

static void hold(struct dictionary *texts, const struct gather_cell *cell) {
    const uint32_t ids[] = {cell->partition, cell->by, cell->over};
    for (size_t i = 0; i < 3; i++)
        if (ids[i] != GATHER_NONE) dictionary_hold(texts, ids[i]);
}

static void let_go(struct dictionary *texts, const struct gather_cell *cell) {
    const uint32_t ids[] = {cell->partition, cell->by, cell->over};
    for (size_t i = 0; i < 3; i++)
        if (ids[i] != GATHER_NONE) dictionary_release(texts, ids[i]);
}

uint32_t cells_add(struct cells *c, struct dictionary *texts, uint32_t partition, uint32_t by,
                   uint32_t over, int64_t bucket_s) {
    if (!room_for_cell(c)) return GATHER_NONE;
    uint32_t cell = c->free_count ? c->free_numbers[c->free_count - 1] : (uint32_t)c->count;
    uint32_t model = c->shared ? shared_model(c, partition, by) : cell;
    if (model == GATHER_NONE || !room_for_sampler(c, model)) return GATHER_NONE;
    if (c->free_count)
        c->free_count--;
    else
        c->count++;
    c->slots[cell_slot(c, partition, by, over)] = cell + 1;
    c->list[cell] = (struct gather_cell){.live = true,
                                         .partition = partition,
                                         .by = by,
                                         .over = over,
                                         .model = model,
                                         .first_s = bucket_s,
                                         .last_s = bucket_s};
    if (c->shared) c->models[model].cells++;
    hold(texts, &c->list[cell]);
    return cell;
}

// Gives a model's number back when its last cell went.
static uint32_t leave_model(struct cells *c, const struct gather_cell *cell) {
    uint32_t model = cell->model;
    if (c->shared && --c->models[model].cells > 0) return GATHER_NONE;
    if (c->shared) {
        empty_slot(c, c->model_slots, c->model_slot_count,
                   model_slot(c, cell->partition, cell->by), model_home);
        c->models_free++;
    }
    if (c->sampled) sampler_free(&c->samplers[model]);
    return model;
}

void cells_remove(struct cells *c, struct dictionary *texts, uint32_t number, uint32_t *gone) {
    struct gather_cell *cell = &c->list[number];
    size_t slot = cell_slot(c, cell->partition, cell->by, cell->over);
    empty_slot(c, c->slots, c->slot_count, slot, cell_home);
    *gone = leave_model(c, cell);
    let_go(texts, cell);
    cell->live = false;
    c->free_numbers[c->free_count++] = number;
}

size_t cells_size(const struct cells *c) {
    size_t size = c->capacity * (sizeof *c->list + sizeof *c->free_numbers) +
                  c->slot_count * sizeof *c->slots + c->model_capacity * sizeof *c->models +
                  c->model_slot_count * sizeof *c->model_slots +
                  c->sampler_capacity * sizeof *c->samplers;
    for (size_t i = 0; i < c->sampler_capacity; i++)
        size += c->samplers[i].left_capacity * sizeof *c->samplers[i].parts;
    return size;
}

// --- saving ----------------------------------------------------------------------------------

void cells_save(const struct cells *c, struct pack *out) {
    pack_u32(out, (uint32_t)c->count);
    for (size_t i = 0; i < c->count; i++) {
        const struct gather_cell *cell = &c->list[i];
        pack_u8(out, cell->live);
        if (!cell->live) continue;
        pack_u32(out, cell->partition);
        pack_u32(out, cell->by);
        pack_u32(out, cell->over);
        pack_u32(out, cell->model);
        pack_u64(out, (uint64_t)cell->first_s);
        pack_u64(out, (uint64_t)cell->last_s);
    }
    for (size_t i = 0; i < c->free_count; i++)
        pack_u32(out, c->free_numbers[i]);
    pack_u32(out, (uint32_t)cells_models(c));
    for (size_t i = 0; c->sampled && i < cells_models(c); i++)
        sampler_save(&c->samplers[i], out);
}

static bool known(const struct dictionary *texts, uint32_t id) {
    return id == GATHER_NONE || dictionary_has(texts, id);
}

static bool load_cell(struct cells *c, struct dictionary *texts, struct unpack *in) {
    struct gather_cell cell = {.live = unpack_u8(in)};
    if (cell.live) {
        cell.partition = unpack_u32(in);
        cell.by = unpack_u32(in);
        cell.over = unpack_u32(in);
        cell.model = unpack_u32(in);
        cell.first_s = (int64_t)unpack_u64(in);
        cell.last_s = (int64_t)unpack_u64(in);
    }
    if (in->failed || !room_for_cell(c)) return false;
    uint32_t number = (uint32_t)c->count++;
    c->list[number] = (struct gather_cell){0};
    if (!cell.live) return true;
    if (!known(texts, cell.partition) || !known(texts, cell.by) || !known(texts, cell.over))
        return false;
    size_t slot = cell_slot(c, cell.partition, cell.by, cell.over);
    if (c->slots[slot]) return false;
    c->list[number] = cell;
    c->slots[slot] = number + 1;
    hold(texts, &cell);
    return true;
}

// Numbers that are free, each once: a cell that is not live is marked when it is listed.
static bool load_free_numbers(struct cells *c, struct unpack *in) {
    size_t dead = 0;
    for (size_t i = 0; i < c->count; i++)
        dead += !c->list[i].live;
    for (size_t i = 0; i < dead; i++) {
        uint32_t number = unpack_u32(in);
        if (in->failed || number >= c->count || c->list[number].live || c->list[number].model)
            return false;
        c->list[number].model = 1;
        c->free_numbers[c->free_count++] = number;
    }
    return true;
}

// Counts the cells of each model; all of a model are of one partition and by value.
static bool load_models(struct cells *c, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (!room_for_model(c)) return false;
        c->models[c->model_count++] = (struct cell_model){0};
    }
    for (size_t i = 0; i < c->count; i++) {
        const struct gather_cell *cell = &c->list[i];
        if (!cell->live) continue;
        if (cell->model >= count) return false;
        struct cell_model *m = &c->models[cell->model];
        if (m->cells == 0) *m = (struct cell_model){cell->partition, cell->by, 0};
        if (m->partition != cell->partition || m->by != cell->by) return false;
        m->cells++;
    }
    if (count) fill_model_slots(c);
    for (size_t i = 0; i < count; i++) {
        const struct cell_model *m = &c->models[i];
        c->models_free += m->cells == 0;
        if (m->cells && c->model_slots[model_slot(c, m->partition, m->by)] != i + 1)
            return false;  // two models of the same values
    }
    return true;
}

// Whether a cell's model is its own number, as it must be without an over field.
static bool own_models(const struct cells *c) {
    for (size_t i = 0; i < c->count; i++)
        if (c->list[i].live && c->list[i].model != i) return false;
    return true;
}

bool cells_load(struct cells *c, struct dictionary *texts, struct unpack *in) {
    size_t count = unpack_u32(in);
    for (size_t i = 0; i < count; i++)
        if (!load_cell(c, texts, in)) return false;
    if (!load_free_numbers(c, in)) return false;
    size_t models = unpack_u32(in);
    if (in->failed || models > c->count) return false;
    if (c->shared ? !load_models(c, models) : models != c->count || !own_models(c))
        return false;
    for (size_t i = 0; c->sampled && i < models; i++)
        if (!room_for_sampler(c, (uint32_t)i) || !sampler_load(&c->samplers[i], in))
            return false;
    return true;
}
