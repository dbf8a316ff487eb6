/* job/output.h - results as documents: the lines of a bulk request to an index that the caller
 * names.
 *
 *     {"index":{"_id":"j_bucket_1403481600000_300"}}
 *     {"job_id":"j","timestamp":1403481600000,"anomaly_score":0.0, ... }
 *
 * Ids are made from what a result is about, so that writing a result twice writes it once, and
 * the final result takes the place of the interim one. Fields, their order and the ids are
 * those of the Elastic contract, chapter 5 (5.15 for ids). Numbers that are NaN are left out.
 */
#ifndef BLIP_JOB_OUTPUT_H
#define BLIP_JOB_OUTPUT_H

#include "base/bytes.h"
#include "base/text.h"
#include "job/analysis.h"

/* Where documents go. */
struct output {
    const struct analysis *analysis;
    struct bytes *lines;
    bool interim;       // the bucket is still open
    struct bytes *ids;  // NULL, or where the ids of what is written are kept, each with its
                        // terminating zero
};

/* A level of a bucket's score: one influencer field, or the bucket as a whole. */
struct result_bucket_influencer {
    const char *field;  // "bucket_time" for the bucket as a whole
    double score, raw, probability;
};

/* How anomalous a partition value is as a whole. */
struct result_partition {
    const char *field;
    struct text value;
    double score, probability;
};

struct result_bucket {
    int64_t time_s;
    double score;
    uint64_t event_count;
    int64_t processing_ms;
    const struct result_bucket_influencer *influencers;
    size_t influencer_count;
    const struct result_partition *partitions;
    size_t partition_count;
    const char *const *events;  // descriptions of the scheduled events of this moment
    size_t event_descriptions;
};

struct result_influencer {
    int64_t time_s;
    const char *field;
    struct text value;
    double score, probability;
};

/* The values of one influencer field that a record blames, strongest first. */
struct result_influence {
    const char *field;
    const struct text *values;
    size_t count;
};

/* What is known of one value against its model; `width` numbers, 2 for a place. */
struct result_values {
    double typical[2], actual[2];
    size_t width;  // 0 = neither is known
};

/* Why a record scored what it scored (5.6); zero, false and NaN are left out. */
struct result_explanation {
    bool present;
    int type;    // +1 spike, -1 dip, 0 neither
    int length;  // buckets
    int single_bucket_impact, multi_bucket_impact, characteristics_impact;
    double lower, typical, upper;  // NaN = not known
    bool high_variance, incomplete_bucket, multimodal, by_first_occurrence;
    double by_relative_rarity;
};

struct result_cause {
    double probability;
    struct text by;
    const char *function_description;
    struct result_values values;
    const struct result_influence *influences;
    size_t influence_count;
};

struct result_record {
    int64_t time_s;
    size_t detector_index;
    struct text partition, by, over;  // no data where the detector has no such field
    const char *function_description;
    double score, probability, multi_bucket_impact;
    struct result_values values;
    struct result_explanation explanation;
    const struct result_cause *causes;
    size_t cause_count;
    const struct result_influence *influences;
    size_t influence_count;
};

/* One point of a model plot; actual is NaN when the bucket had no value. */
struct result_plot {
    int64_t time_s;
    size_t detector_index;
    struct text partition, by, over;
    const char *feature;  // "'arithmetic mean value by person'"
    double lower, median, upper, actual;
};

struct result_annotation {
    int64_t time_s;  // of the event; it is said to end where it begins
    size_t detector_index;
    struct text partition, by, over;
    const char *text;
    int64_t now_ms;
};

/* The memory of the models (5.11). */
struct result_size_stats {
    int64_t time_s;  // the last bucket; its documents are named after it
    int64_t now_ms;
    uint64_t model_bytes, peak_bytes, exceeded_bytes, limit_bytes;
    uint64_t by_fields, over_fields, partition_fields;  // values known
    uint64_t failures;                                  // buckets that turned series away
    const char *status;                                 // "ok", "soft_limit", "hard_limit"
    uint64_t spilled;                                   // series that the store keeps
};

void output_bucket(struct output *o, const struct result_bucket *b);
void output_record(struct output *o, const struct result_record *r);
void output_influencer(struct output *o, const struct result_influencer *i);
void output_plot(struct output *o, const struct result_plot *p);
void output_annotation(struct output *o, const struct result_annotation *a);
void output_size_stats(struct output *o, const struct result_size_stats *s);

/* Deletes the documents of `ids` (texts, each with its terminating zero). */
void output_delete(struct output *o, const struct bytes *ids);

/* Whether a field's name is one of the documents' own, so that it gets no copy (5.9). */
bool output_reserved(const char *field);

#endif
