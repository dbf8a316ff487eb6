/* job/feature.h - the numbers that a detector reads out of a bucket.
 *
 *     high_mean(took)  ─▶  one feature: mean, watched above
 *     metric(took)     ─▶  three: mean, min (watched below), max (above)
 *     lat_long(place)  ─▶  one feature of two values
 *
 * Source: elastic-model.md 3, the table of functions. */
#ifndef BLIP_JOB_FEATURE_H
#define BLIP_JOB_FEATURE_H

#include "job/analysis.h"

#define FEATURES_MAX 3    // features of one detector
#define FEATURE_VALUES 2  // values of one feature

enum statistic {
    STATISTIC_COUNT,
    STATISTIC_DISTINCT,   // different values
    STATISTIC_INFO,       // bytes of the compressed values
    STATISTIC_INDICATOR,  // 1: it was there
    STATISTIC_TIME,       // times within a day or a week
    STATISTIC_MEAN,
    STATISTIC_MEDIAN,
    STATISTIC_MIN,
    STATISTIC_MAX,
    STATISTIC_SUM,
    STATISTIC_VARIANCE,
    STATISTIC_LOCATION,  // mean latitude, mean longitude
};

/* What a feature is compared with to learn how much of it one influencer value explains. */
enum influence_kind {
    INFLUENCE_NONE,
    INFLUENCE_COMPLEMENT,           // v - v_i
    INFLUENCE_COMPLEMENT_MEAN,      // the mean of the rest
    INFLUENCE_COMPLEMENT_VARIANCE,  // the variance of the rest
    INFLUENCE_INTERSECTION,         // v_i alone
    INFLUENCE_INDICATOR,            // 1 for every value
};

struct feature {
    enum statistic statistic;
    enum detector_side side;
    enum influence_kind influence;
    bool sampled;             // learned in samples of n* measurements, at their mean time
    bool zero_when_empty;     // an empty bucket has the value 0, otherwise it is passed over
    double offset;            // the model sees value - offset: 1 for counts that skip zeros
    int period_s;             // of STATISTIC_TIME: a day or a week
    const char *description;  // a record's function_description: "mean"
};

/* Fills the features of a detector and returns how many. */
size_t detector_features(const struct detector *d, struct feature features[FEATURES_MAX]);

#endif
