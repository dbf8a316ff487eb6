/* job/analysis.c - see analysis.h. */
#include "job/analysis.h"

#include <stdlib.h>
#include <string.h>

// Functions without a low_ and high_ form are marked in `plain`.
static const struct {
    const char *name;
    enum detector_function function;
    bool plain;
} functions[] = {
    {"count", FUNCTION_COUNT, false},
    {"non_zero_count", FUNCTION_NON_ZERO_COUNT, false},
    {"distinct_count", FUNCTION_DISTINCT_COUNT, false},
    {"info_content", FUNCTION_INFO_CONTENT, false},
    {"rare", FUNCTION_RARE, true},
    {"freq_rare", FUNCTION_FREQ_RARE, true},
    {"metric", FUNCTION_METRIC, true},
    {"min", FUNCTION_MIN, true},
    {"max", FUNCTION_MAX, true},
    {"mean", FUNCTION_MEAN, false},
    {"avg", FUNCTION_MEAN, false},
    {"median", FUNCTION_MEDIAN, false},
    {"varp", FUNCTION_VARP, false},
    {"sum", FUNCTION_SUM, false},
    {"non_null_sum", FUNCTION_NON_NULL_SUM, false},
    {"time_of_day", FUNCTION_TIME_OF_DAY, true},
    {"time_of_week", FUNCTION_TIME_OF_WEEK, true},
    {"lat_long", FUNCTION_LAT_LONG, true},
};

struct analysis *analysis_new(const char *job_id) {
    struct analysis *a = calloc(1, sizeof *a);
    if (!a) return NULL;
    a->bucket_span_s = 300;
    a->delimiter = '\t';
    a->quote = '"';
    a->job_id = strdup(job_id);
    a->time_field = strdup("time");
    a->time_format = strdup("epoch_ms");
    if (a->job_id && a->time_field && a->time_format) return a;
    analysis_free(a);
    return NULL;
}

static void detector_clear(struct detector *d) {
    free(d->name);
    free(d->field);
    free(d->by);
    free(d->over);
    free(d->partition);
}

void analysis_free(struct analysis *a) {
    if (!a) return;
    for (size_t i = 0; i < a->detector_count; i++)
        detector_clear(&a->detectors[i]);
    for (size_t i = 0; i < a->influencer_count; i++)
        free(a->influencers[i]);
    free(a->detectors);
    free(a->influencers);
    free(a->summary_count_field);
    free(a->time_format);
    free(a->time_field);
    free(a->job_id);
    free(a);
}

enum status analysis_set_text(char **place, const char *text, struct error *err) {
    char *copy = text ? strdup(text) : NULL;
    if (text && !copy) return fail(err, STATUS_NO_MEMORY, "no memory for a field name");
    free(*place);
    *place = copy;
    return STATUS_OK;
}

enum status analysis_add_influencer(struct analysis *a, const char *field, struct error *err) {
    char **grown = realloc(a->influencers, (a->influencer_count + 1) * sizeof *grown);
    if (grown) a->influencers = grown;
    char *copy = grown ? strdup(field) : NULL;
    if (!copy) return fail(err, STATUS_NO_MEMORY, "no memory for an influencer");
    a->influencers[a->influencer_count++] = copy;
    return STATUS_OK;
}

// The part of a function's name behind low_ and high_, and the side these say.
static const char *strip_side(const char *name, enum detector_side *side) {
    *side = strncmp(name, "low_", 4) == 0    ? SIDE_LOW
            : strncmp(name, "high_", 5) == 0 ? SIDE_HIGH
                                             : SIDE_BOTH;
    return *side == SIDE_LOW ? name + 4 : *side == SIDE_HIGH ? name + 5 : name;
}

static bool find_function(const char *name, enum detector_function *function,
                          enum detector_side *side) {
    const char *base = strip_side(name, side);
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        if (strcmp(functions[i].name, base) != 0) continue;
        *function = functions[i].function;
        if (*side != SIDE_BOTH) return !functions[i].plain;
        // Smaller minima and larger maxima are what anybody asks about.
        if (*function == FUNCTION_MIN) *side = SIDE_LOW;
        if (*function == FUNCTION_MAX) *side = SIDE_HIGH;
        return true;
    }
    return false;
}

enum status analysis_add_detector(struct analysis *a, const char *function,
                                  struct detector **out, struct error *err) {
    struct detector added = {0};
    if (!find_function(function, &added.function, &added.side))
        return fail(err, STATUS_INVALID, "Unknown function '%s'", function);
    struct detector *grown = realloc(a->detectors, (a->detector_count + 1) * sizeof *grown);
    if (grown) a->detectors = grown;
    if (!grown || !(added.name = strdup(function)))
        return fail(err, STATUS_NO_MEMORY, "no memory for a detector");
    a->detectors[a->detector_count] = added;
    *out = &a->detectors[a->detector_count++];
    return STATUS_OK;
}
