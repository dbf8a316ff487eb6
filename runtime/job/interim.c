/* job/interim.c - how complete an open bucket is, from the usual number of its events. */
#include "job/close.h"

#include <math.h>

#define EVENTS_MEMORY 100.0  // buckets over which the mean error is taken

static double middle(const struct job *job) {
    return (double)job->bucket_s + 0.5 * (double)job->analysis->bucket_span_s;
}

// What trend and seasons say, and by how much they are wrong on average.
static double expected_events(const struct job *job) {
    double trend = decomposition_predict(job->events, middle(job), 0).mean;
    return trend + job->events_error;
}

double job_completeness(const struct job *job) {
    double expected = expected_events(job);
    double events = gather_bucket_events(job->bucket);
    if (!(expected > 0) || events >= expected) return 1;
    return events / expected;
}

void job_learn_events(struct job *job) {
    struct decomposition_news news;
    double events = gather_bucket_events(job->bucket);
    double error = events - decomposition_predict(job->events, middle(job), 0).mean;
    job->events_seen = fmin(job->events_seen + 1, EVENTS_MEMORY);
    job->events_error += (error - job->events_error) / job->events_seen;
    decomposition_learn(job->events, middle(job), events, 1, 1, &news);
    decomposition_age(job->events, (double)job->analysis->bucket_span_s);
}
