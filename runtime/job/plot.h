/* job/plot.h - model plots: what was expected of each series in each bucket. */
#ifndef BLIP_JOB_PLOT_H
#define BLIP_JOB_PLOT_H

#include "base/error.h"
#include <stdbool.h>

struct plot_options {
    bool enabled;
    bool annotations;  // of what models find
    char *terms;  // NULL = all; else "a,b": series whose partition, by or over value is one
};

/* Sets terms to a copy; STATUS_NO_MEMORY. */
enum status plot_set_terms(struct plot_options *p, const char *terms, struct error *err);
void plot_clear(struct plot_options *p);

#endif
