/* job/gather_internal.h - what the files of the gatherer share.
 *     gather.c       uploads, the clock, closing
 *     gather_row.c   one record into the tallies of its bucket
 *     gather_read.c  what a bucket is asked
 *     gather_feed.c  rows of a frame
 *     gather_save.c  bytes */
#ifndef BLIP_JOB_GATHER_INTERNAL_H
#define BLIP_JOB_GATHER_INTERNAL_H

#include "job/bucket.h"
#include "job/cells.h"
#include "job/dictionary.h"
#include "job/field.h"
#include "job/frequency.h"
#include "job/gather.h"
#include "job/record.h"
#include "job/record_time.h"

// How the rows of a function are gathered.
enum gathering {
    GATHER_COUNT,     // records
    GATHER_SUM,       // values
    GATHER_METRIC,    // mean, spread, extremes and parts
    GATHER_LOCATION,  // two means and parts
    GATHER_DISTINCT,  // a set of hashes
    GATHER_TEXTS,     // a set of ids of texts
    GATHER_TIMES,     // times within the period
};

struct gather_detector {
    const struct detector *config;
    enum gathering gathering;
    int period_s;                         // of GATHER_TIMES
    uint32_t field, partition, by, over;  // positions in fields; FIELD_NONE
    uint32_t *influencers;  // [influencer_count] positions; FIELD_NONE: the cell's own value
    struct cells cells;
    struct frequency by_buckets, over_buckets;  // for exclude_frequent
};

// A text of the present row, looked up once.
struct gather_text {
    uint64_t row;  // that it was looked up in
    uint64_t hash;
    uint32_t id;  // DICTIONARY_NONE: not known
};

struct gather {
    const struct analysis *analysis;
    struct fields *fields;
    struct record_reader *reader;
    struct record_time *time;
    struct gather_listener listener;
    uint32_t summary_count;  // field; FIELD_NONE
    size_t influencer_count;

    struct dictionary *texts;
    struct gather_text *looked_up;  // [fields->count]
    uint64_t row;                   // number of the present row

    struct gather_bucket **open;  // [open_capacity] by start
    size_t open_count, open_capacity;
    struct gather_bucket *spare;  // one that is ready, empty
    uint64_t stamp;               // of the newest bucket that was opened

    bool started;
    int64_t position_s;  // start of the oldest open bucket
    int64_t partial_s;   // start of the partial first bucket; INT64_MIN
    int64_t latest_bucket_s;
    int64_t latest_ms;                // of the records; COUNT_NO_TIME
    uint64_t closed, closed_records;  // buckets with records, and those
    uint64_t buckets;                 // that were closed, empty ones too

    struct data_counts counts, *upload;
    size_t limit_bytes, until_measured;
    bool full;
    struct sample *samples;  // [sample_capacity] answers of gather_samples(), gather_times()
    struct part *parts;      // [part_capacity] scratch
    size_t sample_capacity, part_capacity;
    size_t detector_count;
    struct gather_detector detectors[];
};

/* Takes one record of a bucket. STATUS_NO_MEMORY. */
enum status gather_row(struct gather *g, struct gather_bucket *b, const struct record *record,
                       double time_s, struct error *err);

/* Counts a record, closes what is due and gathers it.
 *   timed  its time could be read: ms */
enum status gather_take(struct gather *g, const struct record *record, bool timed, int64_t ms,
                        struct error *err);

/* The open bucket that starts at a time, made if no record has reached it yet. NULL when memory
 * runs out. */
struct gather_bucket *gather_bucket_at(struct gather *g, int64_t start_s);

/* As it was when it was made. */
void gather_clear(struct gather *g);

/* Whether the gather has reached its limit; looked at now and then. */
bool gather_is_full(struct gather *g);

/* Counts the measurements of a bucket into each n*, before it closes; and keeps what is left
 * over for the next one, after. */
void gather_count_samples(struct gather_bucket *b);
enum status gather_keep_samples(struct gather_bucket *b, struct error *err);

/* Starts and ends an upload. */
void gather_begin(struct gather *g, struct data_counts *upload);
void gather_end(struct gather *g);

static inline int64_t gather_floor(const struct gather *g, int64_t time_s) {
    return analysis_bucket(g->analysis, time_s);
}

#endif
