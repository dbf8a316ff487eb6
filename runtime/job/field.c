/* job/field.c - see field.h. */
#include "job/field.h"

#include <stdlib.h>
#include <string.h>

static void add(struct fields *f, const char *name) {
    if (!name || field_of(f, name) != FIELD_NONE) return;
    f->list[f->count++] = (struct field){name, strlen(name)};
}

struct fields *fields_new(const struct analysis *a) {
    size_t most = 2 + 4 * a->detector_count + a->influencer_count;
    struct fields *f = malloc(sizeof *f + most * sizeof *f->list);
    if (!f) return NULL;
    f->count = 0;
    add(f, a->time_field);
    add(f, a->summary_count_field);
    for (size_t i = 0; i < a->detector_count; i++) {
        const struct detector *d = &a->detectors[i];
        add(f, d->field);
        add(f, d->by);
        add(f, d->over);
        add(f, d->partition);
    }
    for (size_t i = 0; i < a->influencer_count; i++)
        add(f, a->influencers[i]);
    return f;
}

uint32_t field_find(const struct fields *f, const char *name, size_t size) {
    for (size_t i = 0; i < f->count; i++)
        if (f->list[i].size == size && memcmp(f->list[i].name, name, size) == 0)
            return (uint32_t)i;
    return FIELD_NONE;
}

uint32_t field_of(const struct fields *f, const char *name) {
    return name ? field_find(f, name, strlen(name)) : FIELD_NONE;
}
