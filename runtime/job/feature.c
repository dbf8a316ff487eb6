/* job/feature.c - see feature.h. */
#include "job/feature.h"

#define DAY_S 86400
#define WEEK_S (7 * DAY_S)

// What a function's features have in common with every side and field.
static const struct {
    enum detector_function function;
    struct feature feature;
} table[] = {
    {FUNCTION_COUNT,
     {STATISTIC_COUNT, .influence = INFLUENCE_COMPLEMENT, .zero_when_empty = true,
      .description = "count"}},
    {FUNCTION_NON_ZERO_COUNT,
     {STATISTIC_COUNT, .influence = INFLUENCE_COMPLEMENT, .offset = 1, .description = "count"}},
    {FUNCTION_DISTINCT_COUNT,
     {STATISTIC_DISTINCT, .influence = INFLUENCE_INTERSECTION, .offset = 1,
      .description = "distinct_count"}},
    {FUNCTION_INFO_CONTENT,
     {STATISTIC_INFO, .influence = INFLUENCE_INTERSECTION, .offset = 1,
      .description = "info_content"}},
    {FUNCTION_RARE,
     {STATISTIC_INDICATOR, .influence = INFLUENCE_INDICATOR, .description = "rare"}},
    {FUNCTION_FREQ_RARE,
     {STATISTIC_INDICATOR, .influence = INFLUENCE_INDICATOR, .description = "rare"}},
    {FUNCTION_METRIC,
     {STATISTIC_MEAN, .influence = INFLUENCE_COMPLEMENT_MEAN, .sampled = true,
      .description = "mean"}},
    {FUNCTION_METRIC,
     {STATISTIC_MIN, SIDE_LOW, .influence = INFLUENCE_INTERSECTION, .sampled = true,
      .description = "min"}},
    {FUNCTION_METRIC,
     {STATISTIC_MAX, SIDE_HIGH, .influence = INFLUENCE_INTERSECTION, .sampled = true,
      .description = "max"}},
    {FUNCTION_MIN,
     {STATISTIC_MIN, .influence = INFLUENCE_INTERSECTION, .sampled = true,
      .description = "min"}},
    {FUNCTION_MAX,
     {STATISTIC_MAX, .influence = INFLUENCE_INTERSECTION, .sampled = true,
      .description = "max"}},
    {FUNCTION_MEAN,
     {STATISTIC_MEAN, .influence = INFLUENCE_COMPLEMENT_MEAN, .sampled = true,
      .description = "mean"}},
    {FUNCTION_MEDIAN,
     {STATISTIC_MEDIAN, .influence = INFLUENCE_COMPLEMENT_MEAN, .sampled = true,
      .description = "median"}},
    {FUNCTION_VARP,
     {STATISTIC_VARIANCE, .influence = INFLUENCE_COMPLEMENT_VARIANCE, .sampled = true,
      .description = "varp"}},
    {FUNCTION_SUM,
     {STATISTIC_SUM, .influence = INFLUENCE_COMPLEMENT, .zero_when_empty = true,
      .description = "sum"}},
    {FUNCTION_NON_NULL_SUM,
     {STATISTIC_SUM, .influence = INFLUENCE_COMPLEMENT, .description = "sum"}},
    {FUNCTION_TIME_OF_DAY,
     {STATISTIC_TIME, .influence = INFLUENCE_INDICATOR, .period_s = DAY_S,
      .description = "time"}},
    {FUNCTION_TIME_OF_WEEK,
     {STATISTIC_TIME, .influence = INFLUENCE_INDICATOR, .period_s = WEEK_S,
      .description = "time"}},
    {FUNCTION_LAT_LONG,
     {STATISTIC_LOCATION, .influence = INFLUENCE_INDICATOR, .sampled = true,
      .description = "lat_long"}},
};

static bool is_counted(enum statistic s) {
    return s == STATISTIC_COUNT || s == STATISTIC_DISTINCT || s == STATISTIC_INFO;
}

// Too few, too little: no value that is there can have caused it.
static bool lacks(const struct feature *f) {
    return f->side == SIDE_LOW && (is_counted(f->statistic) || f->statistic == STATISTIC_SUM);
}

size_t detector_features(const struct detector *d, struct feature features[FEATURES_MAX]) {
    size_t count = 0;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (table[i].function != d->function) continue;
        struct feature *f = &features[count++];
        *f = table[i].feature;
        if (d->function != FUNCTION_METRIC) f->side = d->side;
        if (lacks(f)) f->influence = INFLUENCE_NONE;
        if (d->over) f->zero_when_empty = false;
        if (d->over && is_counted(f->statistic)) f->offset = 1;
    }
    return count;
}
