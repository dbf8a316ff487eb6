/* job/analysis.h - what a job analyses, as its configuration says it.
 *
 *     analysis    bucket span, latency, time field, influencers
 *     └ detectors      high_mean(took_ms) by page over user partitionfield=region
 *
 * Plain data that is read everywhere and changed nowhere once a job runs (rules, filters and
 * events do change: see rule.h). Field names, defaults and meanings: the Elastic contract,
 * chapters 3 and 4. */
#ifndef BLIP_JOB_ANALYSIS_H
#define BLIP_JOB_ANALYSIS_H

#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum detector_function {
    FUNCTION_COUNT,
    FUNCTION_NON_ZERO_COUNT,
    FUNCTION_DISTINCT_COUNT,
    FUNCTION_INFO_CONTENT,
    FUNCTION_RARE,
    FUNCTION_FREQ_RARE,
    FUNCTION_METRIC,  // mean, min and max at once
    FUNCTION_MIN,
    FUNCTION_MAX,
    FUNCTION_MEAN,
    FUNCTION_MEDIAN,
    FUNCTION_VARP,
    FUNCTION_SUM,
    FUNCTION_NON_NULL_SUM,
    FUNCTION_TIME_OF_DAY,
    FUNCTION_TIME_OF_WEEK,
    FUNCTION_LAT_LONG,
};

enum detector_side { SIDE_BOTH, SIDE_LOW, SIDE_HIGH };  // which deviations are anomalies

enum exclude_frequent {
    EXCLUDE_FREQUENT_NONE,
    EXCLUDE_FREQUENT_BY = 1,
    EXCLUDE_FREQUENT_OVER = 2,
    EXCLUDE_FREQUENT_ALL = 3,
};

struct detector {
    char *name;  // the function as configured: "high_mean", "avg"
    enum detector_function function;
    enum detector_side side;
    char *field, *by, *over, *partition;  // NULL = none
    bool use_null;
    enum exclude_frequent exclude_frequent;
};

struct analysis {
    char *job_id;
    int64_t bucket_span_s, latency_s;
    char *time_field;
    char *time_format;          // "epoch", "epoch_ms" or a Java date pattern
    char *summary_count_field;  // NULL = each record counts as one
    char **influencers;
    size_t influencer_count;
    struct detector *detectors;
    size_t detector_count;
    bool delimited;  // records are lines of delimited values, the first one names the fields
    char delimiter, quote;
};

/* An analysis of a job without detectors: 5 minute buckets, field "time" in epoch_ms, JSON.
 * analysis_free() frees it. NULL when memory runs out. */
struct analysis *analysis_new(const char *job_id);
void analysis_free(struct analysis *a);

/* Puts a copy of a text (NULL = none) in the place of an older one. STATUS_NO_MEMORY. */
enum status analysis_set_text(char **place, const char *text, struct error *err);

enum status analysis_add_influencer(struct analysis *a, const char *field, struct error *err);

/* Appends a detector of the function of that name (any of 4.1, long or "avg"), returned in
 * *out; its fields are the caller's to set. STATUS_INVALID for an unknown function,
 * STATUS_NO_MEMORY. */
enum status analysis_add_detector(struct analysis *a, const char *function,
                                  struct detector **out, struct error *err);

/* The start of the bucket that holds a moment; rounds down before 1970 too. */
static inline int64_t analysis_bucket(const struct analysis *a, int64_t time_s) {
    int64_t rest = time_s % a->bucket_span_s;
    return time_s - (rest < 0 ? rest + a->bucket_span_s : rest);
}

#endif
