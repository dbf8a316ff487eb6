/* job/gather.h - from posted records to what each series gathered in each bucket.
 *
 *     bytes ─▶ record ─▶ time check ─▶ close due buckets ─▶ tallies of its bucket
 *     frame ─▶   row  ─┘                    │
 *                                           └─▶ close(bucket): the job reads features, scores
 *
 *     ring of open buckets (latency L, span Δ):   [t, t+Δ) [t+Δ, ...)   ⌈L/Δ⌉ + 1 of them
 *     in a bucket, per detector:  cell 0  cell 1  ...   one struct tally each
 *                                   └ slice: one tally per influencer value seen with the cell
 *
 * A cell is one combination of partition, by and over value of one detector, numbered densely
 * from 0; a number is taken again after gather_prune() freed it. Texts are known by ids.
 * Without an over field a cell is a series with a model of its own; with one, all the cells of
 * a partition and by value share a model. One worker owns a gather at a time: nothing here is
 * locked, and values, times and samples are answered out of memory that is used again. Source:
 * elastic-model.md 2, 3. */
#ifndef BLIP_JOB_GATHER_H
#define BLIP_JOB_GATHER_H

#include "base/error.h"
#include "frame/frame.h"
#include "job/analysis.h"
#include "job/count.h"
#include "job/feature.h"
#include "job/tally.h"
#include "model/pack.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GATHER_NONE UINT32_MAX  // no such field, no such cell

struct gather;

/* The analysis must outlive the gather. STATUS_INVALID names a time format that cannot be read.
 */
enum status gather_new(const struct analysis *analysis, struct gather **out, struct error *err);
void gather_free(struct gather *g);  // NULL is fine

// --- what the job is asked and told ----------------------------------------------------------

struct gather_bucket;

struct gather_listener {
    void *context;
    /* A bucket is complete: called in time order for each, empty ones too, and never twice. It
     * may read the bucket and call gather_samples() and gather_prune(). A status that is not
     * STATUS_OK stops the upload there; the bucket is then gone. */
    enum status (*close)(void *context, struct gather_bucket *bucket, struct error *err);
    /* Whether a new cell may be made; false: its rows are passed over, see
     * gather_bucket_refused(). NULL: always. */
    bool (*admit)(void *context, size_t detector);
};
void gather_listen(struct gather *g, const struct gather_listener *listener);

/* Takes a body in. *counts are those of this upload.
 * STATUS_INVALID after 100 malformed objects ("The input JSON data is malformed."); what stood
 * before them was taken in all the same, and reading the same bytes again fails at the same
 * place. */
enum status gather_post(struct gather *g, const char *body, size_t size,
                        struct data_counts *counts, struct error *err);

/* Takes the rows of a frame in, its columns named as the fields, the time column an INT in
 * milliseconds (or a DOUBLE). An absent column is a missing field. input_bytes stays 0. */
enum status gather_feed(struct gather *g, const struct frame *frame, struct data_counts *counts,
                        struct error *err);

/* Forgets what the open buckets that overlap [start, end) hold. */
void gather_reset(struct gather *g, int64_t start_s, int64_t end_s);

/* Closes every bucket that ends at or before a time, whatever the latency. */
enum status gather_advance(struct gather *g, int64_t time_s, struct error *err);

/* Drops the open buckets and goes on at the end of the bucket that holds time - 1: what lies
 * before it is never closed and later records before it count for nothing. */
void gather_skip(struct gather *g, int64_t time_s);

// --- where it stands -------------------------------------------------------------------------

/* Start of the oldest open bucket = end of the last one that was closed, seconds since 1970;
 * false when there was no record yet. */
bool gather_position_s(const struct gather *g, int64_t *position_s);

/* Counts of the job's life. */
const struct data_counts *gather_counts(const struct gather *g);

/* Beyond this many bytes no new influencer value, sample or distinct value is kept, whatever
 * the listener admits; 0: no limit. */
void gather_set_limit(struct gather *g, size_t bytes);
size_t gather_size(const struct gather *g);  // bytes, open buckets and texts included

/* Open buckets that a record has reached, oldest first: for interim results. NULL past the end.
 */
struct gather_bucket *gather_open(struct gather *g, size_t at);

/* The oldest open bucket, opened if no record has reached it. NULL before the first record and
 * when memory runs out. */
struct gather_bucket *gather_current(struct gather *g);

// --- reading a bucket ------------------------------------------------------------------------

int64_t gather_bucket_start_s(const struct gather_bucket *b);
double gather_bucket_events(const struct gather_bucket *b);  // the bucket's event_count
/* Rows that were passed over because their cell was not admitted, over all detectors. */
uint64_t gather_bucket_refused(const struct gather_bucket *b);
/* The job's first bucket, begun in its middle: it has no result and no model learns it. */
bool gather_bucket_partial(const struct gather_bucket *b);

struct gather_cell {
    bool live;                     // false: the number is free
    uint32_t partition, by, over;  // ids of texts; GATHER_NONE without such a field
    uint32_t model;   // number of the model: the cell's own; with an over field that of its
                      // (partition, by), also dense from 0
    int64_t first_s;  // start of the first and of the last bucket that it was seen in
    int64_t last_s;
};

/* Cells of a detector are 0 .. gather_cells() - 1, some of them not live. */
size_t gather_cells(const struct gather *g, size_t detector);
const struct gather_cell *gather_cell(const struct gather *g, size_t detector, uint32_t cell);
size_t gather_models(const struct gather *g, size_t detector);

/* A text by its id; *size bytes, not terminated. Good until the next upload. */
const char *gather_text(const struct gather *g, uint32_t id, size_t *size);

/* The id of a text that is known, or GATHER_NONE. */
uint32_t gather_find_text(const struct gather *g, const char *text, size_t size);

/* The cells that a bucket has something of, in the order in which they arrived. */
const uint32_t *gather_touched(const struct gather_bucket *b, size_t detector, size_t *count);

/* What a cell gathered; NULL when nothing came. */
const struct tally *gather_tally(const struct gather_bucket *b, size_t detector, uint32_t cell);

/* A feature's value(s) out of a tally of this bucket (a cell's or a slice's), as the user sees
 * them (never less one). False: no value came. STATISTIC_TIME: the mean time within the period;
 * see gather_times() for each. */
bool gather_value(const struct gather_bucket *b, size_t detector, const struct feature *feature,
                  const struct tally *tally, double value[FEATURE_VALUES]);

/* The times of day or week of a cell's events: value[0], weighed by count. */
const struct sample *gather_times(const struct gather_bucket *b, const struct tally *tally,
                                  size_t *count);

/* Influencer slices of a cell, one after the other: slice = tally->slices at first, then
 * ->next, until TALLY_NONE. Where the influencer is the cell's own partition, by or over field
 * there are none: the value is the cell's. */
struct gather_slice {
    struct tally tally;  // over the rows that carry the value
    uint32_t cell;
    uint32_t influencer;  // position among the influencers
    uint32_t value;       // id of its text
    uint32_t next;
};
const struct gather_slice *gather_slice(const struct gather_bucket *b, size_t detector,
                                        uint32_t slice);

/* Whether a cell's by or over value occurs in more than a tenth of the buckets and the detector
 * excludes such: it is modelled but gives no results. */
bool gather_frequent(const struct gather *g, size_t detector, uint32_t cell);

// --- sampled functions -----------------------------------------------------------------------

/* The number of measurements in one sample of a model, n*; 0 while it is not known: then
 * nothing is learned. */
double gather_sample_count(const struct gather *g, size_t detector, uint32_t model);

/* What a model learns of this cell's bucket: groups of n* measurements in time order. What is
 * left over waits for the next bucket, so ask once per cell, model and feature of a bucket that
 * closes, and never for interim results. With an over field the bucket's value is the one
 * sample. Good until the next call. STATUS_NO_MEMORY. */
enum status gather_samples(struct gather_bucket *b, size_t detector, uint32_t cell,
                           const struct feature *feature, const struct sample **samples,
                           size_t *count, struct error *err);

// --- forgetting, saving ----------------------------------------------------------------------

/* Frees the cells of a detector that were last seen before a time (never those of a bucket that
 * is open or closes just now), and calls freed() for each
 * and, with an over field, gone() for each model without cells. */
void gather_prune(struct gather *g, size_t detector, int64_t before_s,
                  void (*freed)(void *context, uint32_t cell),
                  void (*gone)(void *context, uint32_t model), void *context);

/* Writes everything, open buckets too; reads it into a gather of the same options.
 * STATUS_INVALID when the bytes are damaged or of other options: the gather is then empty. */
void gather_save(const struct gather *g, struct pack *out);
enum status gather_load(struct gather *g, struct unpack *in, struct error *err);

#endif
