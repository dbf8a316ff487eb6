/* job/count.c - see count.h. */
#include "job/count.h"

void data_counts_clear(struct data_counts *c) {
    *c = (struct data_counts){.earliest_record_ms = COUNT_NO_TIME,
                              .latest_record_ms = COUNT_NO_TIME,
                              .latest_empty_bucket_ms = COUNT_NO_TIME,
                              .latest_sparse_bucket_ms = COUNT_NO_TIME};
}

void data_counts_finish(struct data_counts *c, uint64_t fields) {
    uint64_t possible = c->processed_record_count * fields;
    c->processed_field_count =
        possible > c->missing_field_count ? possible - c->missing_field_count : 0;
    c->input_record_count =
        c->processed_record_count + c->invalid_date_count + c->out_of_order_timestamp_count;
}

static int64_t later(int64_t a, int64_t b) { return a > b ? a : b; }  // no time is the earliest

void data_counts_add(struct data_counts *total, const struct data_counts *upload) {
    total->processed_record_count += upload->processed_record_count;
    total->processed_field_count += upload->processed_field_count;
    total->input_bytes += upload->input_bytes;
    total->input_field_count += upload->input_field_count;
    total->invalid_date_count += upload->invalid_date_count;
    total->missing_field_count += upload->missing_field_count;
    total->out_of_order_timestamp_count += upload->out_of_order_timestamp_count;
    total->empty_bucket_count += upload->empty_bucket_count;
    total->sparse_bucket_count += upload->sparse_bucket_count;
    total->bucket_count += upload->bucket_count;
    total->input_record_count += upload->input_record_count;
    total->latest_record_ms = later(total->latest_record_ms, upload->latest_record_ms);
    total->latest_empty_bucket_ms =
        later(total->latest_empty_bucket_ms, upload->latest_empty_bucket_ms);
    total->latest_sparse_bucket_ms =
        later(total->latest_sparse_bucket_ms, upload->latest_sparse_bucket_ms);
    if (upload->earliest_record_ms != COUNT_NO_TIME &&
        (total->earliest_record_ms == COUNT_NO_TIME ||
         upload->earliest_record_ms < total->earliest_record_ms))
        total->earliest_record_ms = upload->earliest_record_ms;
}
