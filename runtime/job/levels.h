/* job/levels.h - the normalisers of a job: one for the buckets, one per influencer field for
 * its values and one for the buckets' influencers of it, one per partition field, and one per
 * (partition field, person field, function, field) for the records. Detectors that agree in
 * these share it. Source: elastic-model, chapter 11. */
#ifndef BLIP_JOB_LEVELS_H
#define BLIP_JOB_LEVELS_H

#include "job/analysis.h"
#include "job/tree.h"
#include "model/normalizer.h"

/* What the tree needs to know of a detector. Fields are numbers from 1 on, equal for equal
 * names; 0 = none. */
struct levels_detector {
    uint32_t partition_field, person_field;
    size_t partition, leaf;  // places of its normalisers
    bool population;
};

struct levels {
    const struct analysis *analysis;
    struct levels_detector *detectors;  // [analysis->detector_count]
    struct normalizer *normalizers;
    size_t count;
    // influencers[i] is the number of the field of that name, 0 when no detector has it
    uint32_t *influencers;
};

/* Held by value; levels_free() frees what it holds. STATUS_NO_MEMORY. */
enum status levels_start(struct levels *l, const struct analysis *a, struct error *err);
void levels_free(struct levels *l);

/* The normaliser of a place, and the scope that the place's scores are compared within. */
struct normalizer *levels_at(const struct levels *l, const struct tree_place *place);
uint64_t levels_scope(const struct levels *l, const struct tree_place *place);

void levels_age(struct levels *l);  // one bucket later
bool levels_moved(const struct levels *l);

void levels_save(const struct levels *l, struct pack *to);
/* STATUS_INVALID, STATUS_NO_MEMORY; some normalisers may be loaded then. */
enum status levels_load(struct levels *l, struct unpack *from, struct error *err);

#endif
