/* job/interim.c - how complete an open bucket is, from the usual number of its events. */
#include "job/close.h"

#include <math.h>

static double middle(const struct job *job) {
    return (double)job->bucket_s + 0.5 * (double)job->analysis->bucket_span_s;
}

double job_completeness(const struct job *job) {
    double expected = decomposition_predict(job->events, middle(job), 0).mean;
    double events = gather_bucket_events(job->bucket);
    if (!(expected > 0) || events >= expected) return 1;
    return fmax(events / expected, 1e-3);
}

void job_learn_events(struct job *job) {
    struct decomposition_news news;
    double events = gather_bucket_events(job->bucket);
    decomposition_learn(job->events, middle(job), events, 1, 1, &news);
    decomposition_age(job->events, (double)job->analysis->bucket_span_s);
}
