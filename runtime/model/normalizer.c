#include "model/normalizer.h"

#include "model/chance.h"
#include "model/special.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DECAY 0.0005        // per half hour
#define HALF_HOUR_S 1800.0  // the span that decay and thinning are told for
#define SAMPLES_PER_AGE 20  // samples until the histogram ages one step
#define FIRST_STEPS 16
#define STEP_BYTES 12       // of a saved step
#define LARGEST_AT 100000   // the step of a raw score of 100
#define BIG_CHANGE 1.1      // a peak this much above the old one
#define WORTH_A_CHANGE 1.5  // by which a stored score must fall for it

// --- learning --------------------------------------------------------------------------------

void normalizer_start(struct normalizer *n, int64_t bucket_span_s) {
    double span_s = (double)bucket_span_s;
    double every = 3600 / fmin(fmax(2 * span_s, 300), 3600);
    *n = (struct normalizer){
        .thinning = (uint32_t)(every + 0.5),
        .fade = exp(-2 * DECAY * fmax(span_s / HALF_HOUR_S, 1)),
    };
}

void normalizer_free(struct normalizer *n) {
    free(n->steps);
    peaks_free(&n->peaks);
    n->steps = NULL;
    n->count = n->capacity = 0;
}

/* The first step at or above a place; count when there is none. */
static size_t find_step(const struct normalizer *n, int32_t at) {
    size_t low = 0, high = n->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (n->steps[middle].at < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Merges neighbours in the lower half, sparing zero: finest at the top. */
static void merge_steps(struct normalizer *n) {
    size_t from = n->steps[0].at == 0, half = n->count / 2, to = from;
    for (size_t i = from; i < n->count; i++) {
        bool pair = i + 1 < half;
        n->steps[to] = n->steps[pair ? i + 1 : i];
        if (pair) n->steps[to].weight += n->steps[i++].weight;
        to++;
    }
    n->count = to;
}

static enum status make_room(struct normalizer *n, struct error *err) {
    if (n->count == NORMALIZER_STEPS) merge_steps(n);
    if (n->count < n->capacity) return STATUS_OK;
    size_t capacity = n->capacity ? n->capacity * 2 : FIRST_STEPS;
    struct normalizer_step *steps = realloc(n->steps, capacity * sizeof *steps);
    if (!steps) return fail(err, STATUS_NO_MEMORY, "no memory for a normaliser");
    n->steps = steps;
    n->capacity = capacity;
    return STATUS_OK;
}

static int32_t step_of(double raw) { return (int32_t)floor(1000 * raw + 0.5); }

static void add_sample(struct normalizer *n, int32_t at) {
    size_t i = find_step(n, at);
    if (i == n->count || n->steps[i].at != at) {
        memmove(&n->steps[i + 1], &n->steps[i], (n->count - i) * sizeof *n->steps);
        n->steps[i] = (struct normalizer_step){at, 0};
        n->count++;
    }
    n->steps[i].weight += 1;
    n->total += 1;
}

static void age_steps(struct normalizer *n) {
    if (++n->samples < SAMPLES_PER_AGE) return;
    n->samples = 0;
    n->total = 0;
    for (size_t i = 0; i < n->count; i++) {
        n->steps[i].weight *= exp(-DECAY);
        n->total += n->steps[i].weight;
    }
}

enum status normalizer_learn_zeros(struct normalizer *n, size_t count, struct error *err) {
    for (size_t i = 0; i < count; i++) {
        enum status status = make_room(n, err);
        if (status != STATUS_OK) return status;
        n->largest = n->pending ? n->largest : 0;
        size_t more = n->thinning - n->pending;
        if (count - i < more) {
            n->pending += (uint32_t)(count - i);
            break;
        }
        i += more - 1;
        n->pending = 0;
        add_sample(n, step_of(n->largest));
        age_steps(n);
    }
    return STATUS_OK;
}

void normalizer_age(struct normalizer *n) {
    peaks_age(&n->peaks, n->fade);
    n->moved = false;
}

// --- ceilings --------------------------------------------------------------------------------

static double weight_of(const struct normalizer *n, size_t i, int32_t at) {
    return i < n->count && n->steps[i].at == at ? n->steps[i].weight : 0;
}

/* Every raw unit above the median adds ten points; where half of all scores are zero and more,
 * the ceiling is out of reach. */
static double noise_ceiling(const struct normalizer *n, int32_t at) {
    double zeros = weight_of(n, 0, 0) / n->total, sum = 0;
    int32_t median = 0;
    for (size_t i = 0; i < n->count; i++) {
        median = n->steps[i].at;
        sum += n->steps[i].weight;
        if (sum >= n->total / 2) break;
    }
    return fmax(1 + 0.01 * (at - median), 0) + 100 * fmax(2 * fmin(zeros + zeros, 1) - 1, 0);
}

/* The score of a share of all, through the knots of chapter 1. */
static double knot_score(double share) {
    static const double knots[][2] = {{0, 0},      {0.70, 1},   {0.85, 1.2},
                                      {0.90, 1.5}, {0.95, 3},   {0.97, 20},
                                      {0.99, 50},  {0.999, 90}, {1, 100}};
    size_t i = 1, last = sizeof knots / sizeof *knots - 1;
    while (i < last && share > knots[i][0])
        i++;
    double part = (share - knots[i - 1][0]) / (knots[i][0] - knots[i - 1][0]);
    return knots[i - 1][1] + part * (knots[i][1] - knots[i - 1][1]);
}

/* The share that the true rank has this chance to lie below, when n samples have this rank. */
static double widened(double n, double rank, double chance) {
    return special_beta_quantile(n * rank + 1.0 / 3, n * (1 - rank) + 1.0 / 3, chance);
}

double normalizer_percentile_ceiling(double n, double lower, double upper) {
    return (knot_score(widened(n, lower, 0.15)) + knot_score(widened(n, upper, 0.85))) / 2;
}

/* The rank among the other samples and `above` more that are larger: one of those at the same
 * step is this score itself, when it was learnt already. */
static double percentile_ceiling(const struct normalizer *n, int32_t at, double above) {
    double below = 0;
    size_t i = 0;
    for (; i < n->count && n->steps[i].at < at; i++)
        below += n->steps[i].weight;
    double equal = weight_of(n, i, at), self = fmin(equal, 1);
    double others = n->total + above - self;
    if (others <= 0) return normalizer_percentile_ceiling(1, 1, 1);
    double lower = fmin(below / others, 1);
    double upper = fmin((below + equal - self) / others, 1);
    return normalizer_percentile_ceiling(fmax(others, 1), lower, upper);
}

static double largest_ceiling(double raw, double peak) {
    double part = peak > raw ? raw / peak : 1;
    return 100 * fmin(1.5 * part, 0.5 + 0.5 * part);
}

double normalizer_probability_ceiling(double p) {
    double significant = log(CHANCE_SIGNIFICANT), small = log(1e-4);
    double depth = (log(fmax(p, CHANCE_SMALLEST)) - significant) / (small - significant);
    return fmin(100 * (0.95 * depth + 0.05), 100);
}

/* The lowest ceiling, given the largest raw score of the scope. */
static double score_of(const struct normalizer *n, double raw, double peak, double above) {
    double p = chance_inverse(raw);
    if (p > CHANCE_WRITTEN) return 0;
    double score = fmin(normalizer_probability_ceiling(p), largest_ceiling(raw, peak));
    score = fmin(score, percentile_ceiling(n, step_of(raw), above));
    if (n->total > 0) score = fmin(score, noise_ceiling(n, step_of(raw)));
    return fmin(fmax(score, 0), 100);
}

double normalizer_score(const struct normalizer *n, uint64_t scope, double raw) {
    return score_of(n, raw, peaks_get(&n->peaks, scope), 0);
}

// --- learning a raw score --------------------------------------------------------------------

/* Whether a raw score outshines the largest of its scope so far, so that the score which that
 * one was given is too high by now. Most peaks that rise are small and other ceilings lie below
 * theirs: to score everything again for those would be in vain. */
static bool outshines(const struct normalizer *n, uint64_t scope, double raw) {
    double peak = peaks_get(&n->peaks, scope);
    if (!(peak > 0) || raw <= BIG_CHANGE * peak) return false;
    return score_of(n, peak, peak, 0) - score_of(n, peak, raw, 1) >= WORTH_A_CHANGE;
}

enum status normalizer_learn(struct normalizer *n, uint64_t scope, double raw,
                             struct error *err) {
    enum status status = make_room(n, err);
    if (status != STATUS_OK) return status;
    if (outshines(n, scope, raw)) n->moved = true;
    status = peaks_put(&n->peaks, scope, raw, err);
    if (status != STATUS_OK) return status;
    n->largest = n->pending ? fmax(n->largest, raw) : raw;
    if (++n->pending < n->thinning) return STATUS_OK;
    n->pending = 0;
    add_sample(n, step_of(n->largest));
    age_steps(n);
    return STATUS_OK;
}

// --- bytes -----------------------------------------------------------------------------------

void normalizer_save(const struct normalizer *n, struct pack *to) {
    pack_f64(to, n->total);
    pack_f64(to, n->largest);
    pack_u32(to, n->pending);
    pack_u32(to, n->samples);
    pack_u8(to, n->moved);
    pack_u64(to, n->count);
    for (size_t i = 0; i < n->count; i++) {
        pack_u32(to, (uint32_t)n->steps[i].at);
        pack_f64(to, n->steps[i].weight);
    }
    peaks_save(&n->peaks, to);
}

static enum status load_steps(struct normalizer *n, struct unpack *from, struct error *err) {
    uint64_t count = unpack_u64(from);
    if (from->failed || count > NORMALIZER_STEPS || count > unpack_left(from) / STEP_BYTES)
        return fail(err, STATUS_INVALID, "no saved normaliser");
    n->steps = count ? malloc((size_t)count * sizeof *n->steps) : NULL;
    if (count && !n->steps) return fail(err, STATUS_NO_MEMORY, "no memory for a normaliser");
    n->count = n->capacity = (size_t)count;
    double total = 0;
    bool sound = true;
    for (size_t i = 0; i < n->count; i++) {
        uint32_t at = unpack_u32(from);
        n->steps[i] = (struct normalizer_step){(int32_t)at, unpack_f64(from)};
        total += n->steps[i].weight;
        sound = sound && at <= LARGEST_AT && n->steps[i].weight >= 0 &&
                (i == 0 || n->steps[i - 1].at < n->steps[i].at);
    }
    if (sound && fabs(total - n->total) <= 1e-6 * (1 + n->total)) return STATUS_OK;
    return fail(err, STATUS_INVALID, "the saved normaliser is damaged");
}

static enum status load(struct normalizer *n, struct unpack *from, struct error *err) {
    n->total = unpack_f64(from);
    n->largest = unpack_f64(from);
    n->pending = unpack_u32(from);
    n->samples = unpack_u32(from);
    n->moved = unpack_u8(from) != 0;
    if (!(n->total >= 0 && n->total < 1e15) || !(n->largest >= 0 && n->largest <= 100) ||
        n->pending >= n->thinning || n->samples >= SAMPLES_PER_AGE)
        return fail(err, STATUS_INVALID, "the saved normaliser is damaged");
    enum status status = load_steps(n, from, err);
    return status == STATUS_OK ? peaks_load(&n->peaks, from, err) : status;
}

enum status normalizer_load(struct normalizer *n, struct unpack *from, struct error *err) {
    struct normalizer loaded = {.thinning = n->thinning, .fade = n->fade};
    enum status status = load(&loaded, from, err);
    if (status != STATUS_OK) {
        normalizer_free(&loaded);
        return status;
    }
    normalizer_free(n);
    *n = loaded;
    return STATUS_OK;
}
