/* model/forest.c - see forest.h. Scoring is in forest_score.c, bytes are in forest_save.c. */
#include "model/forest.h"

#include <math.h>
#include <stdlib.h>

#define FIRST_SAMPLES 32
#define FIRST_ROWS 64

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

// --- memory ----------------------------------------------------------------------------------

// Floats of a ring of some rows: the repeated ones, and slack for a read of a whole quad.
static size_t ring_floats(const struct forest *f, size_t rows) {
    return (rows + f->shingle - 1) * f->width + QUAD;
}

static enum status grow_ring(struct forest *f, size_t rows, struct error *err) {
    size_t before = f->ring ? ring_floats(f, f->ring_rows) : 0, after = ring_floats(f, rows);
    float *ring = realloc(f->ring, after * sizeof *ring);
    if (!ring) return fail(err, STATUS_NO_MEMORY, "no memory for %zu rows of a forest", rows);
    memset(ring + before, 0, (after - before) * sizeof *ring);
    f->ring = ring;
    f->space.ring = ring;
    f->ring_rows = rows;
    return STATUS_OK;
}

// Moves all trees into a block with room for `samples` each.
static enum status grow_trees(struct forest *f, size_t samples, struct error *err) {
    struct tree_space space = f->space;
    tree_space_set(&space, f->width * f->shingle, f->width, samples);
    uint8_t *block = aligned_alloc(16, f->trees * space.stride);
    if (!block)
        return fail(err, STATUS_NO_MEMORY, "no memory for trees of %zu samples", samples);
    memset(block, 0, f->trees * space.stride);
    for (size_t i = 0; f->block && i < f->trees; i++)
        tree_move(&f->space, forest_tree(f, i), &space,
                  (struct tree *)(block + i * space.stride));
    free(f->block);
    f->block = block;
    f->space = space;
    return STATUS_OK;
}

// Rows that the ring keeps at most: a row's position must fit 16 bits.
static size_t limit_rows(const struct forest *f, double decay) {
    double rows = fmax(FOREST_REACH / decay, 4.0 * (double)(f->samples + f->shingle));
    return (size_t)fmin(ceil(rows), TREE_NO_ROW);
}

enum status forest_init(struct forest *f, size_t width, size_t shingle, size_t trees,
                        size_t samples, double decay, double initial_accept, uint64_t seed,
                        struct error *err) {
    *f =
        (struct forest){.width = width, .shingle = shingle, .trees = trees, .samples = samples};
    f->ring_limit = limit_rows(f, decay);
    f->expires = f->ring_limit;
    sampler_set(&f->sampler, decay, initial_accept, samples);
    f->offers = calloc(2 * trees, sizeof *f->offers);
    f->ends = f->offers ? f->offers + trees : NULL;
    enum status status =
        f->offers ? STATUS_OK : fail(err, STATUS_NO_MEMORY, "no memory for a forest");
    if (status == STATUS_OK) status = grow_ring(f, least(FIRST_ROWS, f->ring_limit), err);
    if (status == STATUS_OK) status = grow_trees(f, least(FIRST_SAMPLES, samples), err);
    if (status != STATUS_OK) {
        forest_clear(f);
        return status;
    }
    for (size_t i = 0; i < trees; i++) {
        tree_init(&f->space, forest_tree(f, i), random_seed_for(seed, &i, sizeof i));
        f->ends[i] = f->expires;
    }
    return STATUS_OK;
}

enum status forest_reserve(struct forest *f, size_t rows, size_t samples, struct error *err) {
    enum status status = STATUS_OK;
    if (rows > f->ring_rows) status = grow_ring(f, rows, err);
    if (status == STATUS_OK && samples > f->space.samples) status = grow_trees(f, samples, err);
    f->expires = f->pushed > f->ring_limit ? f->pushed : f->ring_limit;  // look at once
    for (size_t i = 0; i < f->trees; i++)
        f->ends[i] = f->expires;
    return status;
}

void forest_clear(struct forest *f) {
    free(f->block);
    free(f->ring);
    free(f->offers);
    *f = (struct forest){0};
}

size_t forest_size_bytes(const struct forest *f) {
    return f->trees * (f->space.stride + 2 * sizeof *f->offers) +
           ring_floats(f, f->ring_rows) * sizeof *f->ring;
}

// --- rows ------------------------------------------------------------------------------------

// The push that overwrites the row at a position of the ring, `lap` being the last that began
// one.
static uint64_t overwritten_at(const struct forest *f, uint64_t lap, uint16_t row) {
    return lap + row >= f->pushed ? lap + row : lap + f->ring_limit + row;
}

static uint64_t this_lap(const struct forest *f) {
    return f->pushed / f->ring_limit * f->ring_limit;
}

// Takes the samples that begin at a row out of a tree, and finds out which row is next.
static void expire_tree(struct forest *f, size_t i, uint16_t row) {
    struct tree *t = forest_tree(f, i);
    const uint16_t *rows = tree_rows(&f->space, t);
    uint64_t lap = this_lap(f);
    f->ends[i] = f->pushed + f->ring_limit;
    for (size_t slot = 0; slot < f->space.samples; slot++) {
        if (rows[slot] == row) tree_delete(&f->space, t, (uint16_t)slot);
        if (rows[slot] == TREE_NO_ROW) continue;
        uint64_t end = overwritten_at(f, lap, rows[slot]);
        if (end < f->ends[i]) f->ends[i] = end;
    }
}

static void expire(struct forest *f, uint16_t row) {
    f->expires = UINT64_MAX;
    for (size_t i = 0; i < f->trees; i++) {
        if (f->pushed >= f->ends[i]) expire_tree(f, i, row);
        if (f->ends[i] < f->expires) f->expires = f->ends[i];
    }
}

bool forest_holds_shingle(const struct forest *f, uint16_t row) {
    if (row >= f->ring_limit || row >= f->pushed) return false;
    uint64_t first = overwritten_at(f, this_lap(f), row) - f->ring_limit;
    return f->pushed - first >= f->shingle;
}

enum status forest_push(struct forest *f, const float *row, struct error *err) {
    if (f->pushed == f->ring_rows && f->ring_rows < f->ring_limit) {
        enum status status = grow_ring(f, least(2 * f->ring_rows, f->ring_limit), err);
        if (status != STATUS_OK) return status;
    }
    size_t at = f->pushed % f->ring_limit;
    if (f->pushed >= f->expires) expire(f, (uint16_t)at);
    memcpy(f->ring + at * f->width, row, f->width * sizeof *row);
    if (at + 1 < f->shingle && f->pushed >= f->ring_limit)
        memcpy(f->ring + (f->ring_limit + at) * f->width, row, f->width * sizeof *row);
    f->pushed++;
    return STATUS_OK;
}

bool forest_has_shingle(const struct forest *f) { return f->pushed >= f->shingle; }

static uint16_t newest_row(const struct forest *f) {
    return (uint16_t)((f->pushed - f->shingle) % f->ring_limit);
}

const float *forest_shingle(const struct forest *f) {
    return tree_point(&f->space, newest_row(f));
}

// --- learning --------------------------------------------------------------------------------

static void raise_keys(struct forest *f) {
    while (sampler_due(&f->sampler, f->updates)) {
        for (size_t i = 0; i < f->trees; i++)
            sampler_raise(&f->sampler, &f->space, forest_tree(f, i));
        sampler_raised(&f->sampler);
    }
}

static enum status make_room(struct forest *f, struct error *err) {
    if (f->space.samples == f->samples) return STATUS_OK;
    size_t most = 0;
    for (size_t i = 0; i < f->trees; i++)
        if (forest_tree(f, i)->size > most) most = forest_tree(f, i)->size;
    if (most < f->space.samples) return STATUS_OK;
    return grow_trees(f, least(2 * f->space.samples, f->samples), err);
}

enum status forest_learn(struct forest *f, struct error *err) {
    enum status status = make_room(f, err);
    if (status != STATUS_OK) return status;
    raise_keys(f);
    uint16_t row = newest_row(f);
    for (size_t i = 0; i < f->trees; i++)
        if (f->offers[i] <= f->updates)
            f->offers[i] = sampler_offer(&f->sampler, &f->space, forest_tree(f, i), f->samples,
                                         f->updates, row);
    f->updates++;
    return STATUS_OK;
}
