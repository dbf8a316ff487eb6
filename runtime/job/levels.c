#include "job/levels.h"

#include <stdlib.h>
#include <string.h>

#define ROOT 0  // place of the buckets' normaliser; bucket influencers and influencers follow

static bool same(const char *a, const char *b) {
    return a == b || (a && b && strcmp(a, b) == 0);
}

static const char *person_of(const struct detector *d) { return d->over ? d->over : d->by; }

// --- fields as numbers -----------------------------------------------------------------------

/* The k-th field name of the detectors: partition and person of each, in turn. */
static const char *name_at(const struct analysis *a, size_t k) {
    const struct detector *d = &a->detectors[k / 2];
    return k % 2 ? person_of(d) : d->partition;
}

/* The number of a name: one more than its first place. */
static uint32_t number_of(const struct analysis *a, const char *name) {
    for (size_t k = 0; name && k < a->detector_count * 2; k++)
        if (same(name_at(a, k), name)) return (uint32_t)k + 1;
    return 0;
}

// --- normalisers -----------------------------------------------------------------------------

static bool same_leaf(const struct detector *a, const struct detector *b) {
    return same(a->partition, b->partition) && same(person_of(a), person_of(b)) &&
           same(a->name, b->name) && same(a->field, b->field);
}

/* The places of detector i: those of an earlier one that agrees, or new ones at *next. */
static void place_detector(struct levels *l, size_t i, size_t *next) {
    const struct detector *d = &l->analysis->detectors[i];
    struct levels_detector *own = &l->detectors[i];
    *own = (struct levels_detector){
        .partition_field = number_of(l->analysis, d->partition),
        .person_field = number_of(l->analysis, person_of(d)),
        .population = d->over != NULL,
    };
    for (size_t k = 0; k < i; k++) {
        const struct detector *other = &l->analysis->detectors[k];
        if (same(other->partition, d->partition)) own->partition = l->detectors[k].partition;
        if (same_leaf(other, d)) own->leaf = l->detectors[k].leaf;
    }
    if (!own->partition) own->partition = (*next)++;
    if (!own->leaf) own->leaf = (*next)++;
}

enum status levels_start(struct levels *l, const struct analysis *a, struct error *err) {
    size_t influencers = a->influencer_count,
           most = 1 + 2 * influencers + 2 * a->detector_count;
    *l = (struct levels){.analysis = a};
    l->detectors = calloc(a->detector_count + 1, sizeof *l->detectors);
    l->normalizers = calloc(most, sizeof *l->normalizers);
    l->influencers = calloc(influencers + 1, sizeof *l->influencers);
    if (!l->detectors || !l->normalizers || !l->influencers) {
        levels_free(l);
        return fail(err, STATUS_NO_MEMORY, "no memory for %zu normalisers", most);
    }
    l->count = 1 + 2 * influencers;
    for (size_t i = 0; i < a->detector_count; i++)
        place_detector(l, i, &l->count);
    for (size_t i = 0; i < influencers; i++)
        l->influencers[i] = number_of(a, a->influencers[i]);
    for (size_t i = 0; i < l->count; i++)
        normalizer_start(&l->normalizers[i], a->bucket_span_s);
    return STATUS_OK;
}

void levels_free(struct levels *l) {
    for (size_t i = 0; i < l->count; i++)
        normalizer_free(&l->normalizers[i]);
    free(l->detectors);
    free(l->normalizers);
    free(l->influencers);
    *l = (struct levels){0};
}

// --- places ----------------------------------------------------------------------------------

struct normalizer *levels_at(const struct levels *l, const struct tree_place *place) {
    size_t at = ROOT;
    switch (place->level) {
    case TREE_ROOT:
        break;
    case TREE_LEAF:
        at = l->detectors[place->detector].leaf;
        break;
    case TREE_PARTITION:
        at = l->detectors[place->detector].partition;
        break;
    case TREE_BUCKET_INFLUENCER:
        at = 1 + place->field;
        break;
    case TREE_INFLUENCER:
        at = 1 + l->analysis->influencer_count + place->field;
        break;
    }
    return &l->normalizers[at];
}

// The members of a population share one scope: what is compared is the population's worst.
uint64_t levels_scope(const struct levels *l, const struct tree_place *place) {
    switch (place->level) {
    case TREE_LEAF:
        if (l->detectors[place->detector].population) return place->partition;
        return place->partition * 0x9e3779b97f4a7c15u ^ place->person;
    case TREE_PARTITION:
        return place->partition;
    case TREE_INFLUENCER:
        return place->value;
    default:
        return 0;
    }
}

void levels_age(struct levels *l) {
    for (size_t i = 0; i < l->count; i++)
        normalizer_age(&l->normalizers[i]);
}

bool levels_moved(const struct levels *l) {
    for (size_t i = 0; i < l->count; i++)
        if (l->normalizers[i].moved) return true;
    return false;
}

// --- bytes -----------------------------------------------------------------------------------

void levels_save(const struct levels *l, struct pack *to) {
    pack_u64(to, l->count);
    for (size_t i = 0; i < l->count; i++)
        normalizer_save(&l->normalizers[i], to);
}

enum status levels_load(struct levels *l, struct unpack *from, struct error *err) {
    uint64_t count = unpack_u64(from);
    if (from->failed || count != l->count)
        return fail(err, STATUS_INVALID, "the saved normalisers are of another job");
    for (size_t i = 0; i < l->count; i++) {
        enum status status = normalizer_load(&l->normalizers[i], from, err);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}
