/* model/residual.c - see residual.h. */
#include "model/residual.h"

#include <math.h>
#include <string.h>

static const double MIN_SHARE = 0.01;     // families below have no say
static const double LN_NEGLIGIBLE = -10;  // far below that in any case
static const double LN_1E8 = 18.420680743952367;
static const double FREE_PARAMETERS[FAMILIES] = {[FAMILY_GAMMA] = 1};  // not integrated out
static const double MAX_VARIANCE_RATIO = 9;  // of a family to the samples without a penalty

static bool in_use(const struct residual *r, int f) {
    return f != FAMILY_POISSON || !r->poisson_out;
}

// --- one family ------------------------------------------------------------------------------

static bool family_informed(const struct residual *r, int f) {
    switch (f) {
    case FAMILY_NORMAL:
        return normal_informed(&r->normal);
    case FAMILY_LOG_NORMAL:
        return log_normal_informed(&r->log_normal);
    case FAMILY_GAMMA:
        return gamma_informed(&r->gamma);
    default:
        return poisson_informed(&r->poisson);
    }
}

static struct evidence family_learn(struct residual *r, int f,
                                    const struct family_sample *samples, size_t count) {
    switch (f) {
    case FAMILY_NORMAL:
        return normal_learn(&r->normal, samples, count, r->integer);
    case FAMILY_LOG_NORMAL:
        return log_normal_learn(&r->log_normal, samples, count, r->integer);
    case FAMILY_GAMMA:
        return gamma_learn(&r->gamma, samples, count, r->integer);
    default:
        return poisson_learn(&r->poisson, samples, count);
    }
}

static double family_variance(const struct residual *r, int f) {
    switch (f) {
    case FAMILY_NORMAL:
        return normal_variance(&r->normal);
    case FAMILY_LOG_NORMAL:
        return log_normal_variance(&r->log_normal);
    case FAMILY_GAMMA:
        return gamma_variance(&r->gamma);
    default:
        return poisson_variance(&r->poisson);
    }
}

static double family_mean(const struct residual *r, int f) {
    switch (f) {
    case FAMILY_NORMAL:
        return normal_mean(&r->normal, r->integer);
    case FAMILY_LOG_NORMAL:
        return log_normal_mean(&r->log_normal, r->integer);
    case FAMILY_GAMMA:
        return gamma_mean(&r->gamma, r->integer);
    default:
        return poisson_mean(&r->poisson);
    }
}

static double family_mode(const struct residual *r, int f) {
    switch (f) {
    case FAMILY_NORMAL:
        return normal_mean(&r->normal, r->integer);
    case FAMILY_LOG_NORMAL:
        return log_normal_mode(&r->log_normal, r->integer);
    case FAMILY_GAMMA:
        return gamma_mode(&r->gamma, r->integer);
    default:
        return poisson_mode(&r->poisson);
    }
}

static struct tails family_tails(const struct residual *r, int f, double x,
                                 const struct family_scale *s) {
    if (!family_informed(r, f)) return (struct tails){1, 1};
    switch (f) {
    case FAMILY_NORMAL:
        return normal_tails(&r->normal, x, s);
    case FAMILY_LOG_NORMAL:
        return log_normal_tails(&r->log_normal, x, s);
    case FAMILY_GAMMA:
        return gamma_tails(&r->gamma, x, s);
    default:
        return poisson_tails(&r->poisson, x);
    }
}

/* The probability; *below: whether x lies in the lower tail. */
static double family_probability(const struct residual *r, int f, double x,
                                 const struct family_scale *s, enum tail watched, bool *below) {
    struct tails t = {1, 1};
    double p = 1;
    *below = false;
    if (!family_informed(r, f)) return p;
    switch (f) {
    case FAMILY_NORMAL:
        p = normal_probability(&r->normal, x, s, watched, &t);
        break;
    case FAMILY_LOG_NORMAL:
        p = log_normal_probability(&r->log_normal, x, s, watched, &t);
        break;
    case FAMILY_GAMMA:
        p = gamma_probability(&r->gamma, x, s, watched, &t);
        break;
    default:
        p = poisson_probability(&r->poisson, x, watched, &t);
        break;
    }
    *below = t.below < t.above;
    return p;
}

static double family_quantile(const struct residual *r, int f, double p,
                              const struct family_scale *s) {
    if (!family_informed(r, f)) return family_mean(r, f);
    switch (f) {
    case FAMILY_NORMAL:
        return normal_quantile(&r->normal, p, s);
    case FAMILY_LOG_NORMAL:
        return log_normal_quantile(&r->log_normal, p, s);
    case FAMILY_GAMMA:
        return gamma_quantile(&r->gamma, p, s);
    default:
        return poisson_quantile(&r->poisson, p);
    }
}

// --- the weights of the families -------------------------------------------------------------

/* The heaviest gets 0, shares follow. */
static void settle_weights(struct residual *r) {
    double best = -INFINITY, sum = 0, total = 0;
    for (int f = 0; f < FAMILIES; f++)
        if (in_use(r, f)) best = fmax(best, r->ln_weight[f]);
    for (int f = 0; f < FAMILIES; f++) {
        r->ln_weight[f] = in_use(r, f) ? r->ln_weight[f] - best : 0;
        bool counts = in_use(r, f) && r->ln_weight[f] > LN_NEGLIGIBLE;
        r->share[f] = counts ? exp(r->ln_weight[f]) : 0;
        sum += r->share[f];
    }
    for (int f = 0; f < FAMILIES; f++) {
        if (r->share[f] < MIN_SHARE * sum) r->share[f] = 0;
        total += r->share[f];
    }
    for (int f = 0; f < FAMILIES; f++)
        r->share[f] /= total;
}

struct residual residual_new(bool count, bool integer) {
    struct residual r = {.normal = normal_new(),
                         .log_normal = log_normal_new(),
                         .gamma = gamma_new(),
                         .poisson = poisson_new(),
                         .integer = integer,
                         .poisson_out = !count};
    settle_weights(&r);
    return r;
}

bool residual_informed(const struct residual *r) { return normal_informed(&r->normal); }

static bool all_informed(const struct residual *r) {
    for (int f = 0; f < FAMILIES; f++)
        if (in_use(r, f) && !family_informed(r, f)) return false;
    return true;
}

/* What a family loses for being far wider than what was seen. */
static double width_penalty(const struct residual *r, int f, double samples) {
    double seen = r->deviations / r->count, variance = family_variance(r, f);
    if (!(variance > MAX_VARIANCE_RATIO * seen)) return 0;
    return samples * LN_1E8 * (1 - MAX_VARIANCE_RATIO * seen / variance);
}

/* Adds what the families' predictions were worth. How much the worst may lose against the best
 * shrinks as all of them fit badly: an outlier decides nothing. */
static void weigh(struct residual *r, const struct evidence *e, double weight) {
    double best = -INFINITY, distance = 0, samples = fmax(weight, 1);
    for (int f = 0; f < FAMILIES; f++)
        if (in_use(r, f) && e[f].ln_likelihood > best) {
            best = e[f].ln_likelihood;
            distance = e[f].distance;
        }
    double most = fmax(samples * LN_1E8 - distance, 0);
    for (int f = 0; f < FAMILIES; f++) {
        if (!in_use(r, f)) continue;
        double gain = fmax(e[f].ln_likelihood, best - most);
        gain -= 0.5 * FREE_PARAMETERS[f] * log1p(weight / r->count);
        r->ln_weight[f] += gain - width_penalty(r, f, samples);
    }
    settle_weights(r);
}

// --- learning --------------------------------------------------------------------------------

/* The Poisson family leaves: values are no longer counts. */
static void drop_poisson(struct residual *r) {
    if (r->poisson_out) return;
    r->poisson_out = true;
    settle_weights(r);
}

/* Learns whether values are still integers, and still counts. */
static void watch_kind(struct residual *r, const struct family_sample *samples, size_t count) {
    for (size_t i = 0; i < count; i++) {
        double x = samples[i].value;
        if (x < 0) drop_poisson(r);
        if (!r->integer || x == floor(x)) continue;
        r->integer = false;
        normal_drop_integer(&r->normal);
        gamma_drop_integer(&r->gamma);
        drop_poisson(r);
    }
}

/* Running count, mean and squares of the samples; returns their weight. */
static double add_moments(struct residual *r, const struct family_sample *samples,
                          size_t count) {
    double weight = 0;
    for (size_t i = 0; i < count; i++) {
        double w = samples[i].weight, off = samples[i].value - r->mean;
        weight += w;
        r->count += w;
        r->mean += off * w / r->count;
        // The mean moves toward the value, never past it, but for rounding.
        r->deviations += fmax(w * off * (samples[i].value - r->mean) / samples[i].scale, 0);
    }
    return weight;
}

void residual_learn(struct residual *r, const struct family_sample *samples, size_t count) {
    if (count == 0) return;
    struct evidence evidence[FAMILIES] = {{0, 0}};
    bool judged = all_informed(r);
    watch_kind(r, samples, count);
    for (int f = 0; f < FAMILIES; f++)
        if (in_use(r, f)) evidence[f] = family_learn(r, f, samples, count);
    double weight = add_moments(r, samples, count);
    if (judged) weigh(r, evidence, weight);
}

void residual_age(struct residual *r, double keep) {
    normal_age(&r->normal, keep);
    log_normal_age(&r->log_normal, keep);
    gamma_age(&r->gamma, keep);
    if (!r->poisson_out) poisson_age(&r->poisson, keep);
    for (int f = 0; f < FAMILIES; f++)
        r->ln_weight[f] *= keep;
    r->count *= keep;
    r->deviations *= keep;
}

// --- asking ----------------------------------------------------------------------------------

/* The families that have a say, heaviest first; returns how many. */
static int by_weight(const struct residual *r, int *order) {
    int count = 0;
    for (int f = 0; f < FAMILIES; f++) {
        if (r->share[f] == 0) continue;
        int at = count++;
        for (; at > 0 && r->share[order[at - 1]] < r->share[f]; at--)
            order[at] = order[at - 1];
        order[at] = f;
    }
    return count;
}

static struct family_scale scale_of(const struct residual *r, struct residual_scale s) {
    return (struct family_scale){s.seasonal, s.count, r->integer};
}

double residual_probability(const struct residual *r, double x, struct residual_scale s,
                            enum tail watched, enum tail *tail) {
    static const double NEGLIGIBLE = 1e-3;  // of the sum: what is left is not evaluated
    struct family_scale scale = scale_of(r, s);
    double sum = 0, seen = 0, heaviest = -1;
    int order[FAMILIES], count = by_weight(r, order);
    if (tail) *tail = TAIL_BOTH;
    if (!residual_informed(r)) return 1;
    for (int i = 0; i < count && 1 - seen > NEGLIGIBLE * sum; i++) {
        double share = r->share[order[i]];
        bool below;
        double p = share * family_probability(r, order[i], x, &scale, watched, &below);
        if (p > heaviest && tail) *tail = below ? TAIL_BELOW : TAIL_ABOVE;
        heaviest = fmax(heaviest, p);
        sum += p;
        seen += share;
    }
    return fmin(sum, 1);
}

/* Adds up the tails until both are above `enough`: the cheap families come first. */
static struct tails add_tails(const struct residual *r, double x, struct residual_scale s,
                              double enough) {
    struct family_scale scale = scale_of(r, s);
    struct tails sum = {0, 0};
    for (int f = 0; f < FAMILIES && fmin(sum.below, sum.above) < enough; f++) {
        if (r->share[f] == 0) continue;
        struct tails t = family_tails(r, f, x, &scale);
        sum.below += r->share[f] * t.below;
        sum.above += r->share[f] * t.above;
    }
    return sum;
}

struct tails residual_tails(const struct residual *r, double x, struct residual_scale s) {
    return add_tails(r, x, s, INFINITY);
}

double residual_tail(const struct residual *r, double x, struct residual_scale s,
                     double enough) {
    struct tails t = add_tails(r, x, s, enough);
    return fmin(t.below, t.above);
}

static double below(const struct residual *r, double x, const struct family_scale *s) {
    double sum = 0;
    for (int f = 0; f < FAMILIES; f++)
        if (r->share[f] > 0) sum += r->share[f] * family_tails(r, f, x, s).below;
    return sum;
}

/* The quantile of the average lies between those of the families: regula falsi, Illinois. */
double residual_quantile(const struct residual *r, double p, struct residual_scale s) {
    struct family_scale scale = scale_of(r, s);
    double low = INFINITY, high = -INFINITY;
    if (!residual_informed(r)) return residual_mean(r);
    for (int f = 0; f < FAMILIES; f++) {
        if (r->share[f] == 0) continue;
        double x = family_quantile(r, f, p, &scale);
        low = fmin(low, x);
        high = fmax(high, x);
    }
    double width = high - low, at_low = below(r, low, &scale) - p;
    double at_high = below(r, high, &scale) - p;
    for (int i = 0; i < 40 && high - low > 1e-6 * width && at_low < 0 && at_high > 0; i++) {
        double x = low - at_low * (high - low) / (at_high - at_low);
        double at_x = below(r, x, &scale) - p;
        if (fabs(at_x) < 1e-9) return x;
        if (at_x < 0) {
            low = x;
            at_low = at_x;
            at_high /= 2;
        } else {
            high = x;
            at_high = at_x;
            at_low /= 2;
        }
    }
    return at_low >= 0 ? low : at_high <= 0 ? high : (low + high) / 2;
}

double residual_mean(const struct residual *r) {
    double sum = 0;
    for (int f = 0; f < FAMILIES; f++)
        if (r->share[f] > 0) sum += r->share[f] * family_mean(r, f);
    return residual_informed(r) ? sum : r->mean;
}

double residual_mode(const struct residual *r) {
    double sum = 0;
    for (int f = 0; f < FAMILIES; f++)
        if (r->share[f] > 0) sum += r->share[f] * family_mode(r, f);
    return residual_informed(r) ? sum : r->mean;
}

double residual_variance(const struct residual *r) {
    double sum = 0;
    for (int f = 0; f < FAMILIES; f++)
        if (r->share[f] > 0) sum += r->share[f] * family_variance(r, f);
    return sum;
}

// --- keeping ---------------------------------------------------------------------------------

/* The numbers of a residual in the order in which they are saved. */
enum { NUMBERS = 4 + 5 + 5 + 2 + 3 + 2 * FAMILIES };

static void list_numbers(struct residual *r, double *numbers[NUMBERS]) {
    double *list[NUMBERS] = {&r->normal.mean,
                             &r->normal.precision,
                             &r->normal.shape,
                             &r->normal.rate,
                             &r->log_normal.logs.mean,
                             &r->log_normal.logs.precision,
                             &r->log_normal.logs.shape,
                             &r->log_normal.logs.rate,
                             &r->log_normal.offset,
                             &r->gamma.count,
                             &r->gamma.mean,
                             &r->gamma.ln_mean,
                             &r->gamma.shape,
                             &r->gamma.offset,
                             &r->poisson.shape,
                             &r->poisson.rate,
                             &r->count,
                             &r->mean,
                             &r->deviations};
    for (int f = 0; f < FAMILIES; f++) {
        list[NUMBERS - FAMILIES + f] = &r->ln_weight[f];
        list[NUMBERS - 2 * FAMILIES + f] = &r->share[f];
    }
    memcpy(numbers, list, sizeof list);
}

void residual_save(const struct residual *r, struct pack *p) {
    struct residual copy = *r;
    double *numbers[NUMBERS];
    list_numbers(&copy, numbers);
    for (int i = 0; i < NUMBERS; i++)
        pack_f64(p, *numbers[i]);
    pack_u8(p, (uint8_t)(r->integer | r->poisson_out << 1));
}

/* Whether numbers that were read could have been written: none is NaN, what divides is
 * positive.
 */
static bool plausible(const struct residual *r) {
    bool shapes = r->normal.shape > 0 && r->log_normal.logs.shape > 0 && r->poisson.shape > 0 &&
                  r->gamma.shape >= 0;
    bool weights = r->normal.precision >= 0 && r->log_normal.logs.precision >= 0 &&
                   r->gamma.count >= 0 && r->poisson.rate >= 0 && r->count >= 0;
    bool spreads = r->normal.rate >= 0 && r->log_normal.logs.rate >= 0 && r->deviations >= 0;
    double sum = 0;
    bool shares = true;
    for (int f = 0; f < FAMILIES; f++) {
        sum += r->share[f];
        shares &= r->share[f] >= 0 && r->ln_weight[f] <= 0;
    }
    return shapes && weights && spreads && shares && fabs(sum - 1) < 1e-9;
}

bool residual_load(struct unpack *u, struct residual *out) {
    *out = (struct residual){.integer = false};
    double *numbers[NUMBERS];
    list_numbers(out, numbers);
    for (int i = 0; i < NUMBERS; i++)
        *numbers[i] = unpack_finite(u);
    uint8_t flags = unpack_u8(u);
    if (u->failed || flags > 3 || !plausible(out)) return false;
    out->integer = flags & 1;
    out->poisson_out = flags >> 1 & 1;
    return true;
}
