#include "model/place.h"

#include "model/outlier.h"
#include <math.h>

#define NARROWEST 1e-3  // least spread of a place, in degrees: a hundred metres
#define FEWEST 4        // points that make a place
#define KNOWN 3         // points until anything is unlikely

void place_start(struct place *p) {
    *p = (struct place){0};
    modes_start(&p->modes, 2, 0, NARROWEST, FEWEST);
}

/* A point as the modes see it. */
static void seen_from(const struct place *p, struct place_point at, double *value) {
    double east = at.lon - p->origin;
    value[0] = fmin(fmax(at.lat, -360), 360);
    value[1] = east - 360 * round(east / 360);
}

void place_look(const struct place *p, struct modes_fit *usual) { modes_fit(&p->modes, usual); }

/* Whether enough was learnt to call anything unlikely. */
static bool knows(const struct place *p) { return modes_weight(&p->modes) >= KNOWN; }

void place_learn(struct place *p, const struct modes_fit *usual, struct place_point at,
                 double weight) {
    if (!p->begun) p->origin = at.lon;
    p->begun = true;
    double value[2], belief = 1;
    seen_from(p, at, value);
    if (knows(p)) belief = outlier_weight(modes_probability(usual, value) / 2, 0);
    modes_learn(&p->modes, value, weight * belief);
}

void place_age(struct place *p, double keep) { modes_age(&p->modes, keep); }

double place_probability(const struct place *p, const struct modes_fit *usual,
                         struct place_point at) {
    if (!knows(p)) return 1;
    double value[2];
    seen_from(p, at, value);
    return modes_probability(usual, value);
}

struct place_point place_typical(const struct place *p, struct place_point at) {
    struct modes_fit fit;
    double value[2], centre[2];
    modes_fit(&p->modes, &fit);
    seen_from(p, at, value);
    modes_nearest(&fit, value, centre);
    double lon = centre[1] + p->origin;
    return (struct place_point){centre[0], lon - 360 * round(lon / 360)};
}

void place_save(const struct place *p, struct pack *to) {
    pack_u8(to, p->begun);
    pack_f64(to, p->origin);
    modes_save(&p->modes, to);
}

enum status place_load(struct place *p, struct unpack *from, struct error *err) {
    bool begun = unpack_u8(from) != 0;
    double origin = unpack_f64(from);
    if (from->failed || !(fabs(origin) <= 1e6))
        return fail(err, STATUS_INVALID, "no saved places");
    enum status status = modes_load(&p->modes, from, err);
    if (status != STATUS_OK) return status;
    p->begun = begun;
    p->origin = origin;
    return STATUS_OK;
}
