/* model/stream.h - from rows as they arrive to rows of the forest's ring: values that are
 * missing are filled in, intervals that are missing too, values become coordinates.
 *
 *     row with values ─▶ initial rows (10) held back until they have common moments
 *                    └─▶ missing intervals: at most `shingle` rows are filled in, after which
 *                        the shingle would not change any more
 *                    └─▶ missing features ─▶ coordinates ─▶ ring
 *
 * Source: the specification's 3.2 to 3.5 (mode STREAMING_IMPUTE where the shingle has several
 * rows and there is an imputation, STANDARD else). */
#ifndef BLIP_MODEL_STREAM_H
#define BLIP_MODEL_STREAM_H

#include "model/forest.h"
#include "model/transform.h"

#define STREAM_INITIAL 10

/* Arrays lie behind the struct of the model, in one piece. */
struct stream {
    struct transform *moments;  // [features]
    double *history;            // [shingle + 1][features] values, filled in ones too, a ring
    double *initial;            // [STREAM_INITIAL][features] rows held back
    uint8_t *filled;            // [shingle] 1: the row was filled in; a ring
    int64_t initial_times[STREAM_INITIAL];
    uint64_t seen;             // real rows
    uint64_t bucket;           // rows, filled in ones and those beyond the cap too
    int64_t last_time;         // of the last real row
    struct deviation gaps;     // between rows, milliseconds
    struct deviation quality;  // share of what was not missing
};

/* What scoring needs to know of the row that stream_row() pushed. */
struct stream_row {
    double values[MODEL_MAX_FEATURES];  // missing ones filled in
    double shift[MODEL_MAX_FEATURES], scale[MODEL_MAX_FEATURES];
    double roughness[MODEL_MAX_FEATURES];
    uint8_t missing[MODEL_MAX_FEATURES];
    size_t missing_count;
};

size_t stream_size(const struct model_options *o);
void stream_init(struct stream *s, void *memory, const struct model_options *o);

/* Whether rows are still held back: then stream_hold() takes them, and the last of them pushes
 * them all to the ring. */
bool stream_holds(const struct stream *s, const struct model_options *o);
enum status stream_hold(struct stream *s, struct forest *f, const struct model_options *o,
                        int64_t time_ms, const double *values, struct error *err);

/* Fills in what is missing before and in a row and pushes it. */
enum status stream_row(struct stream *s, struct forest *f, const struct model_options *o,
                       int64_t time_ms, const double *values, struct stream_row *out,
                       struct error *err);

/* After scoring: learns the row's moments and offers the shingle to the forest. */
enum status stream_learn(struct stream *s, struct forest *f, const struct model_options *o,
                         int64_t time_ms, const struct stream_row *row, struct error *err);

/* How the next row's values become coordinates: shift and scale [features]. */
void stream_scales(const struct stream *s, const struct model_options *o, double *shift,
                   double *scale);

/* Values of the row that is `back` rows before the newest, 0 <= back <= shingle. */
const double *stream_past(const struct stream *s, const struct forest *f,
                          const struct model_options *o, size_t back);

/* 0..1, how mature the model is: formula (10). */
double stream_confidence(const struct stream *s, const struct model_options *o);

/* Rows before the first score. */
size_t stream_least_rows(const struct model_options *o);

void stream_save(const struct stream *s, const struct model_options *o, struct pack *out);
bool stream_load(struct stream *s, const struct model_options *o, struct unpack *in);

#endif
