/* job/field.h - the fields that a job reads from its records, each once.
 * Field 0 is the time field; the others follow in the order in which the analysis names them:
 * summary count, each detector's field, by, over and partition, the influencers. */
#ifndef BLIP_JOB_FIELD_H
#define BLIP_JOB_FIELD_H

#include "job/analysis.h"
#include <stdint.h>

#define FIELD_NONE UINT32_MAX

struct fields {
    size_t count;  // the time field among them
    struct field {
        const char *name;  // of the analysis
        size_t size;
    } list[];
};

/* The analysis must outlive them; free() frees them. NULL when memory runs out. */
struct fields *fields_new(const struct analysis *a);

/* The position of a name; FIELD_NONE when the job does not read it (or name is NULL). */
uint32_t field_find(const struct fields *f, const char *name, size_t size);
uint32_t field_of(const struct fields *f, const char *name);

#endif
