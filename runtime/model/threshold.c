/* model/threshold.c - see threshold.h. The constants are the library's. */
#include "model/threshold.h"

#include "model/transform.h"

static const double initial_threshold = 1.5;
static const double lower_threshold = 0.8;  // no score below is an anomaly
static const double usual_mean = 0.9;       // lower mean scores narrow the deviation's factor
static const double least_z = 2;
static const double score_differencing = 0.5;
static const double largest_score = 2;  // that is learned
static const double least_count = 10;   // scores before the threshold begins to move; at twice
                                        // as many it rests on them alone

// How much the threshold rests on the scores seen.
static double maturity(const struct threshold *t) {
    return fmin(1, fmax(0, ((double)t->scores.count - least_count) / least_count));
}

static double deviation_factor(const struct threshold *t, const struct model_options *o) {
    double z = o->z_factor, mean = t->scores.mean;
    if (mean < usual_mean && o->transform != TRANSFORM_NONE) z *= mean / usual_mean;
    return fmax(least_z, z);
}

// L: the deviation of scores over a long time.
static double long_deviation(const struct threshold *t, const struct model_options *o) {
    double scores = deviation_of(&t->scores);
    double below = sqrt(2) * deviation_of(&t->shortfall);
    if (o->shingle == 1 && !transform_differences(o->transform)) return fmin(below, scores);
    double changes = deviation_of(&t->changes);
    return score_differencing * fmin(scores, fmax(changes, below)) +
           (1 - score_differencing) * changes;
}

static double least_threshold(const struct threshold *t, const struct model_options *o) {
    if (o->auto_adjust && maturity(t) >= 1 && t->scores.mean < usual_mean)
        return lower_threshold * t->scores.mean / usual_mean;
    return lower_threshold;
}

static double step_grade(double t) { return fmin(1, floor(20 * t) / 16); }

struct threshold_answer threshold_ask(const struct threshold *t, const struct model_options *o,
                                      double score) {
    double least = least_threshold(t, o), strength;
    struct threshold_answer a = {0};
    if ((double)t->scores.count >= least_count) {
        double z = deviation_factor(t, o);
        double sigma = (z - 1) * long_deviation(t, o) + deviation_of(&t->scores);
        double f = maturity(t);
        a.threshold = fmax(least, f * (t->scores.mean + sigma) + (1 - f) * initial_threshold);
        strength = sigma > 0 ? fmin(z, (score - a.threshold) * z / sigma) / z : 1;
    } else {
        a.threshold = fmax(initial_threshold, least);
        strength = fmin(1, fmax(0, (score - least) / least));
    }
    if (score < a.threshold) return a;
    a.grade = step_grade(strength);
    if (a.grade <= 0) a = (struct threshold_answer){.threshold = score};
    return a;
}

void threshold_learn(struct threshold *t, const struct model_options *o, double score,
                     double corrected, double last) {
    double mean = t->scores.mean;
    if (score < mean) deviation_update(&t->shortfall, o->time_decay / 2, mean - score);
    deviation_update(&t->scores, o->time_decay, fmin(score, largest_score));
    deviation_update(&t->changes, o->anomaly_rate, corrected - last);
}

void threshold_save(const struct threshold *t, struct pack *out) {
    deviation_save(&t->scores, out);
    deviation_save(&t->changes, out);
    deviation_save(&t->shortfall, out);
}

bool threshold_load(struct threshold *t, struct unpack *in) {
    bool good = deviation_load(&t->scores, in);
    good &= deviation_load(&t->changes, in);
    return deviation_load(&t->shortfall, in) && good;
}
