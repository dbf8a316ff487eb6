/* job/limit.h - the memory of a job, and what is done about it.
 *
 *     0 ──────────── 3/5 ──────────────── limit
 *          ok      prune sooner: soft   turn new series away: hard
 *
 * Series that were not seen for the prune window are forgotten. Above three fifths of the limit
 * the window shrinks by 1 % an hour, below it grows back. In a job's first two hours only 0.7
 * of the limit may be used, rising to all of it. Source: elastic-model, chapter 12;
 * elastic-ml 5.11. */
#ifndef BLIP_JOB_LIMIT_H
#define BLIP_JOB_LIMIT_H

#include "model/pack.h"
#include <stdbool.h>
#include <stdint.h>

enum memory_status { MEMORY_OK, MEMORY_SOFT_LIMIT, MEMORY_HARD_LIMIT };

struct limit {
    uint64_t limit_bytes;  // 0 = none
    int64_t bucket_span_s;
    int64_t prune_window_s;  // configured; 0 = never
    // what follows is saved
    double window_buckets;    // the window under pressure, in buckets
    int64_t first_s, last_s;  // starts of the first and the last bucket; INT64_MIN before
    uint64_t used_bytes, peak_bytes, reported_bytes;
    uint64_t failures;  // buckets in which series were turned away
    enum memory_status status;
    bool refused;             // a series of the open buckets was turned away
    uint64_t promised_bytes;  // of series that came since the last bucket
};

void limit_init(struct limit *l, uint64_t limit_bytes, int64_t bucket_span_s,
                int64_t prune_window_s);

/* Bytes that may be used in a bucket: less while nobody knows what the job will be like. */
double limit_allowed(const struct limit *l, int64_t bucket_s);

/* Whether a new series of about so many bytes may come; counts it if so. */
bool limit_admit(struct limit *l, uint64_t bytes);

/* A bucket was closed with so much in use. Returns whether the stats are worth writing: they
 * moved by more than 1 %, or the status changed. */
bool limit_close(struct limit *l, int64_t bucket_s, uint64_t used_bytes);

/* Series last seen before this are to be forgotten; INT64_MIN = none. */
int64_t limit_prune_before(const struct limit *l, int64_t bucket_s);

const char *memory_status_name(enum memory_status status);

void limit_save(const struct limit *l, struct pack *p);
void limit_load(struct limit *l, struct unpack *u);

#endif
