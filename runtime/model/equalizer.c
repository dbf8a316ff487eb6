#include "model/equalizer.h"

#include "model/chance.h"
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define LIGHTEST 1e-12  // weight that a point keeps however old it is
#define HEARD 1.5       // counts in every sketch before anything is changed

enum status equalizer_start(struct equalizer *e, size_t detectors, struct error *err) {
    *e = (struct equalizer){.detectors = detectors};
    if (detectors < 2) return STATUS_OK;
    e->sketches = calloc(detectors, sizeof *e->sketches);
    e->ranked = calloc(detectors, sizeof *e->ranked);
    if (e->sketches && e->ranked) return STATUS_OK;
    equalizer_free(e);
    return fail(err, STATUS_NO_MEMORY, "no memory to equalise %zu detectors", detectors);
}

void equalizer_free(struct equalizer *e) {
    free(e->sketches);
    free(e->ranked);
    *e = (struct equalizer){0};
}

// --- a sketch --------------------------------------------------------------------------------

static void remove_point(struct equalizer_sketch *s, size_t i) {
    memmove(&s->at[i], &s->at[i + 1], (s->count - i - 1) * sizeof *s->at);
    memmove(&s->weight[i], &s->weight[i + 1], (s->count - i - 1) * sizeof *s->weight);
    s->count--;
}

/* Joins the two neighbours that lose least by it: the weight times the way that it moves. */
static void merge_points(struct equalizer_sketch *s) {
    size_t best = 0;
    double least = INFINITY;
    for (size_t i = 0; i + 1 < s->count; i++) {
        double cost = (s->at[i + 1] - s->at[i]) * (s->weight[i] + s->weight[i + 1]);
        if (cost < least) least = cost, best = i;
    }
    double a = s->weight[best], b = s->weight[best + 1];
    s->at[best] = (a * s->at[best] + b * s->at[best + 1]) / (a + b);
    s->weight[best] = a + b;
    remove_point(s, best + 1);
}

static void sketch_add(struct equalizer_sketch *s, double x) {
    if (s->count == EQUALIZER_POINTS) merge_points(s);
    size_t i = 0;
    while (i < s->count && s->at[i] < x)
        i++;
    s->total += 1;
    if (i < s->count && s->at[i] == x) {
        s->weight[i] += 1;
        return;
    }
    memmove(&s->at[i + 1], &s->at[i], (s->count - i) * sizeof *s->at);
    memmove(&s->weight[i + 1], &s->weight[i], (s->count - i) * sizeof *s->weight);
    s->at[i] = x;
    s->weight[i] = 1;
    s->count++;
}

/* The share of the weight below x: half of a point's own weight lies below it, and between two
 * points the share rises evenly. */
static double sketch_rank(const struct equalizer_sketch *s, double x) {
    double below = 0, rank = 0, at = 0;
    for (size_t i = 0; i < s->count; i++) {
        double middle = below + s->weight[i] / 2;
        if (s->at[i] >= x) {
            if (i == 0) return middle / s->total;
            double part = (x - at) / (s->at[i] - at);
            return (rank + part * (middle - rank)) / s->total;
        }
        rank = middle;
        at = s->at[i];
        below += s->weight[i];
    }
    return rank / s->total;
}

/* The x that has this share below it. */
static double sketch_quantile(const struct equalizer_sketch *s, double share) {
    double wanted = share * s->total, below = 0, rank = 0, at = s->at[0];
    for (size_t i = 0; i < s->count; i++) {
        double middle = below + s->weight[i] / 2;
        if (middle >= wanted) {
            if (i == 0) return s->at[0];
            return at + (wanted - rank) / (middle - rank) * (s->at[i] - at);
        }
        rank = middle;
        at = s->at[i];
        below += s->weight[i];
    }
    return at;
}

// --- all of them -----------------------------------------------------------------------------

static bool significant(const struct equalizer *e, double p) {
    return e->sketches && p < CHANCE_SIGNIFICANT;
}

void equalizer_learn(struct equalizer *e, size_t detector, double p) {
    if (significant(e, p)) sketch_add(&e->sketches[detector], -log(fmax(p, CHANCE_SMALLEST)));
}

static bool all_heard(const struct equalizer *e) {
    for (size_t i = 0; i < e->detectors; i++)
        if (e->sketches[i].total <= HEARD) return false;
    return true;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The median over the detectors of their quantile at this share. */
static double median_quantile(const struct equalizer *e, double share) {
    for (size_t i = 0; i < e->detectors; i++)
        e->ranked[i] = sketch_quantile(&e->sketches[i], share);
    qsort(e->ranked, e->detectors, sizeof *e->ranked, compare);
    size_t half = e->detectors / 2;
    return e->detectors % 2 ? e->ranked[half] : (e->ranked[half - 1] + e->ranked[half]) / 2;
}

double equalizer_correct(const struct equalizer *e, size_t detector, double p) {
    if (!significant(e, p) || !all_heard(e)) return p;
    double x = -log(fmax(p, CHANCE_SMALLEST));
    double usual = median_quantile(e, sketch_rank(&e->sketches[detector], x));
    double from = log(CHANCE_SIGNIFICANT), to = log(1e-4);
    double alpha = fmin(fmax((x + from) / (from - to), 0), 1);
    return fmax(exp(-(alpha * usual + (1 - alpha) * x)), CHANCE_SMALLEST);
}

void equalizer_age(struct equalizer *e, double fade) {
    for (size_t d = 0; e->sketches && d < e->detectors; d++) {
        struct equalizer_sketch *s = &e->sketches[d];
        s->total = 0;
        for (size_t i = 0; i < s->count; i++) {
            s->weight[i] = fmax(s->weight[i] * fade, LIGHTEST);
            s->total += s->weight[i];
        }
    }
}

// --- bytes -----------------------------------------------------------------------------------

void equalizer_save(const struct equalizer *e, struct pack *to) {
    for (size_t d = 0; e->sketches && d < e->detectors; d++) {
        const struct equalizer_sketch *s = &e->sketches[d];
        pack_u32(to, (uint32_t)s->count);
        pack_f64(to, s->total);
        for (size_t i = 0; i < s->count; i++) {
            pack_f64(to, s->at[i]);
            pack_f64(to, s->weight[i]);
        }
    }
}

static bool load_sketch(struct equalizer_sketch *s, struct unpack *from) {
    s->count = unpack_u32(from);
    s->total = unpack_f64(from);
    if (from->failed || s->count > EQUALIZER_POINTS || !(s->total >= 0 && s->total < 1e15))
        return false;
    double total = 0;
    for (size_t i = 0; i < s->count; i++) {
        s->at[i] = unpack_f64(from);
        s->weight[i] = unpack_f64(from);
        total += s->weight[i];
        bool sound = s->at[i] >= 0 && s->at[i] < 800 && s->weight[i] > 0 &&
                     (i == 0 || s->at[i - 1] < s->at[i]);
        if (!sound) return false;
    }
    return !from->failed && fabs(total - s->total) <= 1e-6 * (1 + s->total);
}

enum status equalizer_load(struct equalizer *e, struct unpack *from, struct error *err) {
    for (size_t d = 0; e->sketches && d < e->detectors; d++) {
        if (load_sketch(&e->sketches[d], from)) continue;
        memset(e->sketches, 0, e->detectors * sizeof *e->sketches);
        return fail(err, STATUS_INVALID, "the saved equaliser is damaged");
    }
    return STATUS_OK;
}
