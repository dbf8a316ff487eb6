#include "model/time_of.h"

#include "model/chance.h"
#include "model/outlier.h"
#include <math.h>

#define NARROWEST 1e-4          // least spread of a mode, in periods
#define FEWEST 4                // events that make a mode
#define EXCUSE_POWER 4.0        // how suddenly the excuse of a young model ends
#define YOUNG_S (21 * 86400.0)  // until outliers weigh what they weigh in an old model

void time_of_start(struct time_of *t, double period_s) {
    *t = (struct time_of){.period_s = period_s, .first_s = INT64_MIN};
    modes_start(&t->modes, 1, period_s, NARROWEST * period_s, FEWEST);
}

/* How young it is: 1 = just born, 0 = after `grown_s`. */
static double youth(const struct time_of *t, int64_t now_s, double grown_s) {
    if (t->first_s == INT64_MIN) return 1;
    return fmin(fmax(1 - ((double)now_s - (double)t->first_s) / grown_s, 0), 1);
}

/* The chance that even a usual time would be new to it. */
static double excuse(const struct time_of *t, int64_t now_s) {
    if (t->first_s == INT64_MIN) return 1;
    double periods = fmax(((double)now_s - (double)t->first_s) / t->period_s, 0);
    return exp(-pow(periods, EXCUSE_POWER));
}

void time_of_look(const struct time_of *t, struct modes_fit *usual) {
    modes_fit(&t->modes, usual);
}

void time_of_learn(struct time_of *t, const struct modes_fit *usual, int64_t now_s,
                   const struct time_of_event *events, size_t count, double weight) {
    if (count == 0) return;
    double derate = youth(t, now_s, YOUNG_S), excused = excuse(t, now_s);
    if (t->first_s == INT64_MIN) t->first_s = now_s;
    for (size_t i = 0; i < count; i++) {
        double p = modes_probability(usual, &events[i].at_s);
        double tail = (excused + (1 - excused) * p) / 2;
        modes_learn(&t->modes, &events[i].at_s,
                    weight * events[i].count * outlier_weight(tail, derate));
    }
}

void time_of_age(struct time_of *t, double keep) { modes_age(&t->modes, keep); }

double time_of_probability(const struct time_of *t, const struct modes_fit *usual,
                           int64_t now_s, const struct time_of_event *events, size_t count) {
    double events_in_all = 0;
    for (size_t i = 0; i < count; i++)
        events_in_all += events[i].count;
    if (!(events_in_all > 0)) return 1;
    struct chance_joint joint = {0};
    for (size_t i = 0; i < count; i++)
        chance_joint_add(&joint, modes_probability(usual, &events[i].at_s),
                         events[i].count / events_in_all);
    double p = exp(chance_joint_ln(&joint)), excused = excuse(t, now_s);
    return fmin(fmax(excused + (1 - excused) * p, CHANCE_SMALLEST), 1);
}

double time_of_typical(const struct time_of *t, double at_s) {
    struct modes_fit fit;
    double centre = at_s;
    modes_fit(&t->modes, &fit);
    modes_nearest(&fit, &at_s, &centre);
    return centre;
}

void time_of_save(const struct time_of *t, struct pack *to) {
    pack_u64(to, (uint64_t)t->first_s);
    modes_save(&t->modes, to);
}

enum status time_of_load(struct time_of *t, struct unpack *from, struct error *err) {
    int64_t first_s = (int64_t)unpack_u64(from);
    enum status status = modes_load(&t->modes, from, err);
    if (status == STATUS_OK) t->first_s = first_s;
    return status;
}
