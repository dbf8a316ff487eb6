/* model/forest.h - a random cut forest over the shingles of a stream of rows.
 *
 *     ring   row r-2 | row r-1 | row r | ...        width floats each, oldest overwritten
 *            [        shingle        ]              dims = width * shingle, one contiguous read
 *     block  tree 0 | tree 1 | ... | tree T-1       no pointers inside (tree.h)
 *
 * The ring keeps the rows of the last FOREST_REACH / decay updates; a sample that is older, one
 * in 100, leaves its tree when its row is overwritten. Its first shingle - 1 rows are repeated
 * behind its end, so a shingle that wraps is contiguous too. Both parts start small and double
 * as the stream grows: an entity of forty rows does not pay for two hundred and fifty-six
 * samples.
 *
 * A point is dims floats, oldest row first, finite. Scores are pure reads; only push and learn
 * change a forest. */
#ifndef BLIP_MODEL_FOREST_H
#define BLIP_MODEL_FOREST_H

#include "base/error.h"
#include "model/pack.h"
#include "model/sampler.h"

#define FOREST_MAX 1e30f  // largest coordinate: sums of sides stay far from overflow
#define FOREST_REACH 4.6  // e^-4.6 = 1 % of samples would live longer

struct forest {
    size_t width, shingle, trees, samples;
    struct tree_space space;
    struct sampler sampler;
    uint8_t *block;
    uint64_t *offers;   // [trees] update at which a tree looks at a point again
    uint64_t updates;   // points learned
    float *ring;        // [ring_rows + shingle - 1][width] and a few floats
    size_t ring_rows;   // now
    size_t ring_limit;  // at most
    uint64_t pushed;    // rows so far
    uint64_t *ends;     // [trees] no row of a tree's samples is overwritten before this push
    uint64_t expires;   // the least of them
};

/* The sizes are 1 <= width * shingle <= TREE_MAX_DIMS, 2 <= samples <= TREE_MAX_SAMPLES,
 * trees >= 1, 0 < decay. STATUS_NO_MEMORY. */
enum status forest_init(struct forest *f, size_t width, size_t shingle, size_t trees,
                        size_t samples, double decay, double initial_accept, uint64_t seed,
                        struct error *err);
void forest_clear(struct forest *f);  // frees what init allocated

/* Appends a row [width], values within +-FOREST_MAX and no -0, to the ring. STATUS_NO_MEMORY
 * leaves the forest as it was. */
enum status forest_push(struct forest *f, const float *row, struct error *err);

/* Whether the ring holds a whole shingle. */
bool forest_has_shingle(const struct forest *f);

/* The newest shingle [dims]; good until the next push. */
const float *forest_shingle(const struct forest *f);

/* Offers the newest shingle to the trees. STATUS_NO_MEMORY leaves the forest as it was. */
enum status forest_learn(struct forest *f, struct error *err);

/* The mean over the trees of (6), 0 before anything was learned. */
double forest_score(const struct forest *f, const float *point);

QUAD_INLINE struct tree *forest_tree(const struct forest *f, size_t i) {
    return (struct tree *)(f->block + i * f->space.stride);
}

/* Copies a point [dims] to x [4 * chunks], zeros behind it: what the trees read. */
QUAD_INLINE void forest_read(const struct forest *f, const float *point, float *x) {
    memset(x + QUAD * (f->space.chunks - 1), 0, QUAD * sizeof *x);
    memcpy(x, point, f->space.dims * sizeof *x);
}

size_t forest_size_bytes(const struct forest *f);

/* For forest_save.c. Makes room for a number of rows and samples; whether a whole shingle
 * begins at a row. */
enum status forest_reserve(struct forest *f, size_t rows, size_t samples, struct error *err);
bool forest_holds_shingle(const struct forest *f, uint16_t row);

/* Saves; loads into a forest that forest_init() has just made with the same sizes. */
void forest_save(const struct forest *f, struct pack *out);
enum status forest_load(struct forest *f, struct unpack *in, struct error *err);

#endif
