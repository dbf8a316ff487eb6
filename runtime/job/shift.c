/* job/shift.c - force_time_shift: a rule moves the phase of what models expect, once per model.
 */
#include "job/close.h"

struct shifting {
    struct job *job;
    const struct job_group *group;
    struct series *series;
    bool failed;  // memory ran out
};

static int compare(const struct job_shift *a, const struct job_shift *b) {
    if (a->rule != b->rule) return a->rule < b->rule ? -1 : 1;
    if (a->detector != b->detector) return a->detector < b->detector ? -1 : 1;
    if (a->feature != b->feature) return a->feature < b->feature ? -1 : 1;
    return a->model < b->model ? -1 : a->model > b->model;
}

// Where a shift is in the sorted list, or would be.
static size_t find(const struct shift_list *list, const struct job_shift *wanted) {
    size_t low = 0, high = list->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(&list->at[middle], wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void shift_series(void *context, uint64_t rule, int64_t shift_s) {
    struct shifting *s = context;
    struct shift_list *list = &s->job->shifts;
    const struct job_group *g = s->group;
    struct job_shift wanted = {rule, g->detector, g->feature, g->model};
    size_t at = find(list, &wanted);
    if (at < list->count && compare(&list->at[at], &wanted) == 0) return;
    if (!shift_list_add(list)) {
        s->failed = true;
        return;
    }
    memmove(&list->at[at + 1], &list->at[at], (list->count - 1 - at) * sizeof *list->at);
    list->at[at] = wanted;
    series_shift_time(s->series, (double)shift_s);
}

enum status job_shift_times(struct job *job, struct error *err) {
    for (size_t i = 0; i < job->groups.count; i++) {
        const struct job_group *g = &job->groups.at[i];
        struct series *series = watch_find(&job->watches[g->detector], g->feature, g->model);
        if (!series || !rulebook_has_shifts(job->rules, g->detector)) continue;
        struct shifting s = {.job = job, .group = g, .series = series};
        for (size_t j = 0; j < g->items; j++) {
            struct rule_subject subject = job_subject(job, &job->items.at[g->first_item + j]);
            rulebook_shifts(job->rules, &subject, shift_series, &s);
        }
        if (s.failed) return fail(err, STATUS_NO_MEMORY, "no memory for a time shift");
    }
    return STATUS_OK;
}
