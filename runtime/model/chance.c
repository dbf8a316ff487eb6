#include "model/chance.h"

#include "model/special.h"
#include <math.h>
#include <string.h>

#define LN_SMALLEST (-708.396418532264106)  // ln CHANCE_SMALLEST
#define LN_2 0.693147180559945309
#define LN_MINUSCULE (-115.129254649702284)  // ln 1e-50: scores 50
#define LN_SMALL (-9.21034037197618273)      // ln 1e-4: scores 1
#define SPAN_SMALL (LN_SMALL - LN_MINUSCULE)
#define SPAN_MINUSCULE (LN_MINUSCULE - LN_SMALLEST)
#define CHOICE 2.1         // the price for choosing M, in ln M
#define SHARE 0.8          // of a full score, until the probability underflows
#define JOINT_DEEP (-1e5)  // ln p at which that share has become 1
#define EXTREME_DEEP (-1500.0)

const struct chance_style CHANCE_PEOPLE = {0, 1, 1, 1};
const struct chance_style CHANCE_ATTRIBUTES = {0.5, 0.5, 1, 5};
const struct chance_style CHANCE_DETECTORS = {0.5, 0.5, 1, 1};

static double floored(double p) { return fmin(fmax(p, CHANCE_SMALLEST), 1); }

// --- raw scores ------------------------------------------------------------------------------

double chance_score_ln(double ln_p) {
    double p = exp(ln_p);
    if (p >= CHANCE_SIGNIFICANT) return 0;
    if (p >= 1e-4) return (1 / p - 20) / 9980;
    if (ln_p >= LN_MINUSCULE) return 1 + 49 * (LN_SMALL - ln_p) / SPAN_SMALL;
    return fmin(50 + 50 * (LN_MINUSCULE - ln_p) / SPAN_MINUSCULE, 100);
}

double chance_score(double p) {
    return p >= CHANCE_SIGNIFICANT ? 0 : chance_score_ln(log(floored(p)));
}

double chance_inverse(double score) {
    if (score <= 0) return 0.525;
    if (score <= 1) return 1 / (20 + 9980 * score);
    if (score <= 50) return exp(LN_SMALL - (score - 1) / 49 * SPAN_SMALL);
    return fmax(exp(LN_MINUSCULE - (fmin(score, 100) - 50) / 50 * SPAN_MINUSCULE),
                CHANCE_SMALLEST);
}

// --- joint -----------------------------------------------------------------------------------

/* The normal deviate whose two tails together hold p. */
static double deviate(double p) { return special_normal_quantile_above(floored(p) / 2); }

void chance_joint_add(struct chance_joint *j, double p, double weight) {
    double z = deviate(p);
    j->squares += weight * z * z;
    j->count += weight;
}

double chance_joint_ln(const struct chance_joint *j) {
    if (j->count <= 0) return 0;
    return fmin(special_ln_gamma_above(j->count / 2, j->squares / 2), 0);
}

// --- extremes --------------------------------------------------------------------------------

/* ln(1 - e^x), x < 0, without losing digits at either end. */
static double ln_complement(double x) { return x > -LN_2 ? log(-expm1(x)) : log1p(-exp(x)); }

double chance_extreme_ln(double p, size_t n) {
    p = floored(p);
    if (p >= 1 || n == 0) return 0;
    double none = (double)n * log1p(-p);  // ln of the probability that all are larger
    return none > -1e-300 ? log((double)n) + log(p) : ln_complement(none);
}

/* ln of the probability that exactly k of n fall below, each with probability q. */
static double ln_binomial(size_t n, size_t k, double q) {
    double choose = special_ln_gamma((double)n + 1) - special_ln_gamma((double)k + 1) -
                    special_ln_gamma((double)(n - k) + 1);
    double ln_k = k ? (double)k * log(q) : 0;
    return choose + ln_k + (n > k ? (double)(n - k) * log1p(-q) : 0);
}

/* ln of the probability that m or more of n fall below; m >= 1. */
static double ln_binomial_tail(size_t n, size_t m, double q) {
    if (q >= 1) return 0;
    if (q <= 0) return -INFINITY;
    return special_ln_beta_below((double)m, (double)(n - m) + 1, q);
}

/* ln(e^a + e^b) */
static double ln_sum(double a, double b) {
    double high = fmax(a, b), low = fmin(a, b);
    return isinf(low) ? high : high + log1p(exp(low - high));
}

// A walk over the ascending thresholds t. at[j] is ln of the probability that j numbers lie
// below t[k] and that so far enough did: at least k + 1 below t[k]. Whoever has m is through.
double chance_smallest_ln(const double *smallest, size_t m, size_t n) {
    double at[CHANCE_TOP_MOST], through = -INFINITY, before = 0;
    for (size_t j = 0; j < m; j++)
        at[j] = j == 0 ? 0 : -INFINITY;
    for (size_t k = 0; k < m; k++) {
        double t = floored(smallest[k]);
        double q = t >= 1 ? 1 : (t - before) / (1 - before);  // of those not yet below
        double next[CHANCE_TOP_MOST];
        for (size_t to = 0; to < m; to++)
            next[to] = -INFINITY;
        for (size_t j = 0; j < m; j++) {
            if (isinf(at[j])) continue;
            through = ln_sum(through, at[j] + ln_binomial_tail(n - j, m - j, q));
            for (size_t to = j > k ? j : k + 1; to < m && q < 1; to++)
                if (q > 0 || to == j)
                    next[to] = ln_sum(next[to], at[j] + ln_binomial(n - j, to - j, q));
        }
        memcpy(at, next, sizeof at);
        before = t;
        if (t >= 1) break;  // everything is below
    }
    return fmin(through, 0);
}

// --- pairs -----------------------------------------------------------------------------------

double chance_pair(double a, double b, double rho) {
    double za = deviate(a), zb = deviate(b);
    double sum = za + zb, squares = za * za + zb * zb;
    double distance = (squares - rho * sum * sum / (1 + rho)) / (1 - rho);
    return fmin(fmax(exp(-distance / 2), CHANCE_SMALLEST), 1);
}

double chance_window_correlation(size_t n) {
    double fade = 0.9 * 0.9;  // a step back weighs 0.9
    double last = 1;
    for (size_t i = 0; i < n && last > 1e-17; i++)
        last *= fade;
    return sqrt((1 - fade) / (1 - last));
}

// --- aggregation -----------------------------------------------------------------------------

void chance_gather_start(struct chance_gather *g, const struct chance_style *style) {
    *g = (struct chance_gather){.style = style};
}

void chance_gather_add(struct chance_gather *g, double p) {
    if (g->style->joint > 0) chance_joint_add(&g->joint, p, 1);
    size_t held = g->count < CHANCE_TOP_MOST ? g->count : CHANCE_TOP_MOST;
    g->count++;
    if (held == CHANCE_TOP_MOST && p >= g->smallest[CHANCE_TOP_MOST - 1]) return;
    size_t at = held < CHANCE_TOP_MOST ? held : CHANCE_TOP_MOST - 1;
    for (; at > 0 && g->smallest[at - 1] > p; at--)
        g->smallest[at] = g->smallest[at - 1];
    g->smallest[at] = p;
}

/* The least likely of "the M smallest are this small", each paying for the choice of M. */
static double ln_extreme(const struct chance_gather *g) {
    const struct chance_style *style = g->style;
    size_t last = g->count < style->most ? g->count : style->most;
    double least = 0;
    for (size_t m = style->fewest; m <= last; m++) {
        double ln_p = m == 1 ? chance_extreme_ln(g->smallest[0], g->count)
                             : chance_smallest_ln(g->smallest, m, g->count);
        least = fmin(least, ln_p / (1 + log((double)m) / CHOICE));
    }
    return least;
}

/* The part of a full score at this depth. */
static double share(double ln_p, double deep) {
    double depth = fmin(fmax((ln_p - LN_SMALLEST) / (deep - LN_SMALLEST), 0), 1);
    return SHARE + (1 - SHARE) * depth;
}

struct chance_total chance_gather_total(const struct chance_gather *g) {
    const struct chance_style *style = g->style;
    if (g->count == 0) return (struct chance_total){1, 0};
    double ln_joint = style->joint > 0 ? chance_joint_ln(&g->joint) : 0;
    double ln_most = ln_extreme(g);
    double ln_cut = log(CHANCE_WRITTEN);
    if (ln_joint > ln_cut && ln_most > ln_cut) {
        double ln_p = style->joint * ln_joint + style->extreme * ln_most;
        return (struct chance_total){exp(ln_p), 0};
    }
    double raw = style->joint * share(ln_joint, JOINT_DEEP) * chance_score_ln(ln_joint) +
                 style->extreme * share(ln_most, EXTREME_DEEP) * chance_score_ln(ln_most);
    double p = raw > 0 ? chance_inverse(raw / SHARE) : exp(fmin(ln_joint, ln_most));
    return (struct chance_total){p, raw};
}
