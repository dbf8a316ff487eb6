/* job/plot.c - see plot.h; and the plots of a bucket's series. */
#include "job/plot.h"

#include "job/close.h"
#include "job/output.h"
#include <math.h>
#include <stdio.h>

#define CONFIDENCE 0.95

enum status plot_set_terms(struct plot_options *p, const char *terms, struct error *err) {
    char *copy = terms ? strdup(terms) : NULL;
    if (terms && !copy) return fail(err, STATUS_NO_MEMORY, "no memory for plot terms");
    free(p->terms);
    p->terms = copy;
    return STATUS_OK;
}

void plot_clear(struct plot_options *p) {
    free(p->terms);
    *p = (struct plot_options){0};
}

// Whether a series of these values is plotted.
static bool wants(const struct plot_options *p, struct text partition, struct text by,
                  struct text over) {
    if (!p->enabled) return false;
    if (!p->terms || !*p->terms) return true;
    for (const char *term = p->terms; *term;) {
        struct text wanted = {term, strcspn(term, ",")};
        if ((partition.data && text_equal(wanted, partition)) ||
            (by.data && text_equal(wanted, by)) || (over.data && text_equal(wanted, over)))
            return true;
        term += wanted.size;
        if (*term == ',') term++;
    }
    return false;
}

static const char *statistic_text(enum statistic s) {
    switch (s) {
    case STATISTIC_COUNT:
        return "count per bucket";
    case STATISTIC_DISTINCT:
        return "unique count per bucket";
    case STATISTIC_INFO:
        return "information content of value per bucket";
    case STATISTIC_INDICATOR:
        return "indicator per bucket";
    case STATISTIC_TIME:
        return "mean time";
    case STATISTIC_MEAN:
        return "arithmetic mean value";
    case STATISTIC_MEDIAN:
        return "median value";
    case STATISTIC_MIN:
        return "minimum value";
    case STATISTIC_MAX:
        return "maximum value";
    case STATISTIC_SUM:
        return "bucket sum";
    case STATISTIC_VARIANCE:
        return "variance of values";
    case STATISTIC_LOCATION:
        return "mean position";
    }
    return "value";
}

static void plot_cell(const struct job *job, struct output *o, const struct job_item *item) {
    const struct gather_cell *cell = gather_cell(job->gather, item->detector, item->cell);
    const struct watch *w = &job->watches[item->detector];
    const struct series *series = watch_find(w, item->feature, cell->model);
    struct result_plot p = {
        .time_s = job->bucket_s,
        .detector_index = item->detector,
        .partition = job_text(job, cell->partition),
        .by = job_text(job, cell->by),
        .over = job_text(job, cell->over),
    };
    if (!series || !wants(&job->plot, p.partition, p.by, p.over)) return;
    const struct feature *f = &w->features[item->feature];
    struct series_bounds bounds =
        series_bounds(series, item->time_s, item->count_scale, CONFIDENCE);
    char feature[80];
    snprintf(feature, sizeof feature, "'%s by person%s'", statistic_text(f->statistic),
             p.over.data ? " and attribute" : "");
    double floor = f->statistic == STATISTIC_COUNT || f->offset > 0 ? 0 : -INFINITY;
    p.feature = feature;
    p.lower = fmax(bounds.lower + f->offset, floor);
    p.median = fmax(bounds.median + f->offset, floor);
    p.upper = fmax(bounds.upper + f->offset, floor);
    p.actual = item->valued ? item->value[0] : NAN;
    output_plot(o, &p);
}

// A series without a value in this bucket is plotted at the bucket's middle.
static void plot_absent(const struct job *job, struct output *o, uint32_t detector,
                        uint32_t cell) {
    if (gather_tally(job->bucket, detector, cell)) return;
    for (uint32_t f = 0; f < job->watches[detector].feature_count; f++) {
        struct job_item item = {.detector = detector, .feature = f, .cell = cell};
        item.time_s = (double)job->bucket_s + 0.5 * (double)job->analysis->bucket_span_s;
        item.count_scale = 1;
        plot_cell(job, o, &item);
    }
}

void job_plot(struct job *job, struct output *o) {
    if (!job->plot.enabled) return;
    for (size_t i = 0; i < job->items.count; i++)
        plot_cell(job, o, &job->items.at[i]);
    for (uint32_t d = 0; d < job->analysis->detector_count; d++) {
        if (job->analysis->detectors[d].over || job->watches[d].features[0].zero_when_empty)
            continue;
        uint32_t cells = (uint32_t)gather_cells(job->gather, d);
        for (uint32_t cell = 0; cell < cells; cell++)
            if (gather_cell(job->gather, d, cell)->live) plot_absent(job, o, d, cell);
    }
}
