/* job/count.h - data counts: what became of the records that were sent (elastic-ml.md 5.12,
 * 7.3). The counts of one upload and those of a job's life have the same shape. */
#ifndef BLIP_JOB_COUNT_H
#define BLIP_JOB_COUNT_H

#include <stdint.h>

#define COUNT_NO_TIME INT64_MIN  // a time that has not been set

struct data_counts {
    uint64_t processed_record_count;
    uint64_t processed_field_count;  // filled by data_counts_finish()
    uint64_t input_bytes;
    uint64_t input_field_count;
    uint64_t invalid_date_count;
    uint64_t missing_field_count;
    uint64_t out_of_order_timestamp_count;
    uint64_t empty_bucket_count;
    uint64_t sparse_bucket_count;
    uint64_t bucket_count;
    uint64_t input_record_count;  // processed + invalid date + out of order
    // Milliseconds since 1970, or COUNT_NO_TIME.
    int64_t earliest_record_ms, latest_record_ms;
    int64_t latest_empty_bucket_ms, latest_sparse_bucket_ms;
};

/* No records, no times. */
void data_counts_clear(struct data_counts *c);

/* Fills what follows from the rest.
 *   fields  analysis fields of the job, the time field not among them */
void data_counts_finish(struct data_counts *c, uint64_t fields);

/* Adds the counts of an upload to those of the job. */
void data_counts_add(struct data_counts *total, const struct data_counts *upload);

#endif
