/* model/anomaly_model.c - see anomaly_model.h. */
#include "model/anomaly_model.h"

#include "model/family.h"
#include "model/special.h"
#include <float.h>
#include <math.h>

static const double LN_LARGE = -2.302585092994046;  // ln 0.1: an anomaly begins below
static const double LN_SMALL = -9.210340371976182;  // ln 1e-4
static const double LEARNED = 2;                    // anomalies that must have been seen
static const double UNIT = 1.0 / 12;    // least variance: both numbers are known to a unit
static const double FADE_SHARE = 0.05;  // of the decay rate
static const double MIN_LN = -708.396418532264106;  // ln of the smallest probability

struct anomaly_model anomaly_model_new(void) {
    return (struct anomaly_model){.open = false};
}

// --- one pair --------------------------------------------------------------------------------

static void pair_learn(struct anomaly_pair *p, const double x[2], double weight) {
    if (!(weight > 0)) return;
    double share = weight / (p->count + weight), a = x[0] - p->mean[0], b = x[1] - p->mean[1];
    double spread = p->count * share;
    p->scatter[0] += spread * a * a;
    p->scatter[1] += spread * a * b;
    p->scatter[2] += spread * b * b;
    p->mean[0] += share * a;
    p->mean[1] += share * b;
    p->count += weight;
}

static void pair_age(struct anomaly_pair *p, double keep) {
    p->count *= keep;
    for (int i = 0; i < 3; i++)
        p->scatter[i] *= keep;
}

/* The normal score of the doubled upper tail at z, whose square adds to chi squared. */
static double score(double z, double shape) {
    double p = fmin(2 * family_t_tails(z, 0, shape).above, 1);
    return special_normal_quantile_above(fmax(p, DBL_MIN) / 2);
}

/* ln of the probability of a pair that lies higher: the geometric mean of the joint probability
 * of its numbers, each by itself, and of that of each given the other. */
static double pair_ln_above(const struct anomaly_pair *p, const double x[2]) {
    double wider = (p->count + 1) / p->count, shape = fmax(p->count, 1) / 2;
    double xx = (p->scatter[0] / p->count + UNIT) * wider;
    double yy = (p->scatter[2] / p->count + UNIT) * wider;
    double xy = p->scatter[1] / p->count * wider, rest = 1 - xy * xy / (xx * yy);
    double a = x[0] - p->mean[0], b = x[1] - p->mean[1];
    double apart_x = score(a / sqrt(xx), shape), apart_y = score(b / sqrt(yy), shape);
    double given_x = score((a - xy / yy * b) / sqrt(xx * rest), shape);
    double given_y = score((b - xy / xx * a) / sqrt(yy * rest), shape);
    double squares =
        apart_x * apart_x + apart_y * apart_y + given_x * given_x + given_y * given_y;
    return fmax(-squares / 4, MIN_LN);  // the tail of chi squared with 2 degrees: e^-x/2
}

// --- the present anomaly ---------------------------------------------------------------------

enum tail anomaly_model_side(const struct anomaly_model *m) {
    return m->side < 0 ? TAIL_BELOW : TAIL_ABOVE;
}

int anomaly_model_length(const struct anomaly_model *m, int64_t number) {
    if (!m->open || number < m->first) return 0;
    return (int)fmin((double)(number - m->first + 1), 1e6);
}

static void features(const struct anomaly_model *m, int64_t number, double x[2]) {
    x[0] = log(fmax(anomaly_model_length(m, number), 1));
    x[1] = m->buckets > 0 ? m->error / m->buckets : 0;
}

static struct anomaly_pair *kind(struct anomaly_model *m) { return &m->past[m->side < 0]; }

static void finish(struct anomaly_model *m, int64_t number, double weight) {
    double x[2];
    features(m, number - 1, x);
    pair_learn(kind(m), x, fmax(1 - m->learned, 0) * weight);
    m->open = false;
}

static void go_on(struct anomaly_model *m, const struct anomaly_bucket *b) {
    if (!m->open) {
        m->open = true;
        m->first = b->number;
        m->buckets = m->error = m->side = m->learned = 0;
    }
    if (b->ln_single >= LN_LARGE && m->buckets > 0) return;
    m->buckets++;
    m->error += fabs(b->error);
    m->side += b->error;
}

double anomaly_model_correct(double ln_p, double ln_single, double ln_anomaly) {
    double a = -LN_LARGE, b = -LN_SMALL, usual = fmin(exp(LN_LARGE - ln_single), 1);
    double x = fmax((b + ln_p) / (b - a), 0), y = 1 - b / (b - ln_anomaly);
    double alpha = 0.5 * (1 - x + x * y);
    return (1 - alpha) * ln_p + alpha * usual * ln_anomaly;
}

struct anomaly_answer anomaly_model_ask(struct anomaly_model *m, const struct anomaly_bucket *b,
                                        bool interim) {
    struct anomaly_model scratch;
    if (interim) {
        scratch = *m;
        m = &scratch;
    }
    double weight = b->weight < 1 ? 0 : 1, keep = exp(-FADE_SHARE * b->fade);
    pair_age(&m->past[0], keep);
    pair_age(&m->past[1], keep);
    struct anomaly_answer answer = {b->ln_p, 0};
    if (b->ln_p >= LN_LARGE) {
        if (m->open) finish(m, b->number, weight);
        return answer;
    }
    go_on(m, b);
    double x[2];
    features(m, b->number, x);
    struct anomaly_pair *past = kind(m);
    if (past->count >= LEARNED) {
        answer.ln_anomaly = pair_ln_above(past, x);
        answer.ln_p = anomaly_model_correct(b->ln_p, b->ln_single, answer.ln_anomaly);
    }
    double share =
        fmin(1 / (1.0 + anomaly_model_length(m, b->number)), 1 - m->learned) * weight;
    pair_learn(past, x, share);
    m->learned += share;
    return answer;
}

// --- keeping ---------------------------------------------------------------------------------

void anomaly_model_save(const struct anomaly_model *m, struct pack *p) {
    for (int i = 0; i < 2; i++) {
        const struct anomaly_pair *a = &m->past[i];
        pack_f64(p, a->count);
        pack_f64(p, a->mean[0]);
        pack_f64(p, a->mean[1]);
        for (int j = 0; j < 3; j++)
            pack_f64(p, a->scatter[j]);
    }
    pack_u8(p, m->open);
    pack_u64(p, (uint64_t)m->first);
    pack_f64(p, m->buckets);
    pack_f64(p, m->error);
    pack_f64(p, m->side);
    pack_f64(p, m->learned);
}

bool anomaly_model_load(struct unpack *u, struct anomaly_model *out) {
    for (int i = 0; i < 2; i++) {
        struct anomaly_pair *a = &out->past[i];
        a->count = unpack_finite(u);
        a->mean[0] = unpack_finite(u);
        a->mean[1] = unpack_finite(u);
        for (int j = 0; j < 3; j++)
            a->scatter[j] = unpack_finite(u);
        double bound = a->scatter[0] * a->scatter[2] * (1 + 1e-9);
        if (a->count < 0 || a->scatter[0] < 0 || a->scatter[2] < 0) u->failed = true;
        if (a->scatter[1] * a->scatter[1] > bound + DBL_MIN) u->failed = true;
    }
    out->open = unpack_u8(u) != 0;
    out->first = (int64_t)unpack_u64(u);
    out->buckets = unpack_finite(u);
    out->error = unpack_finite(u);
    out->side = unpack_finite(u);
    out->learned = unpack_finite(u);
    return !u->failed && out->buckets >= 0 && out->learned >= 0;
}
