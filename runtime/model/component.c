/* model/component.c - see component.h. */
#include "model/component.h"

#include "model/spline.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PHASES 36          // of a period up to LONG_S
#define LONG_S 259200.0    // three days: longer periods have COMPONENT_PHASES
#define SLOPE_REPEATS 2.5  // periods before a line may have a slope
#define SPREAD_PRIOR 4.0   // values of mean variance that each phase's variance begins with
#define PASSES 3           // of fitting a new component to its points
#define EXPONENT 0.75      // a phase's error grows with the range to this power

// One place in the period: a line over t = periods since origin_s, and what was read from it.
struct phase {
    float edge;                   // where it begins, in [0, 1)
    float w, wt, wtt, wy, wty;    // sums of weight, w t, w t^2, w y, w t y
    float ee;                     // sum of w error^2
    float value, bend, variance;  // of the spline's knot in the phase's middle
};

struct component {
    struct season season;
    double origin_s, first_s;  // of the lines' time; of the first value
    double fade;               // to be applied at the next refresh
    float mean_variance;
    uint32_t phases;
    struct phase phase[];
};

// --- places ----------------------------------------------------------------------------------

static double edge_after(const struct component *c, size_t k) {
    return k + 1 < c->phases ? (double)c->phase[k + 1].edge : 1;
}

static double middle(const struct component *c, size_t k) {
    return ((double)c->phase[k].edge + edge_after(c, k)) / 2;
}

// The phase that holds x: a guess, then a few steps.
static size_t find(const struct component *c, double x) {
    size_t k = (size_t)(x * c->phases);
    if (k >= c->phases) k = c->phases - 1;
    while (k > 0 && x < (double)c->phase[k].edge)
        k--;
    while (k + 1 < c->phases && x >= (double)c->phase[k + 1].edge)
        k++;
    return k;
}

static double curve(const struct component *c, double x) {
    size_t k = find(c, x), n = c->phases;
    if (n == 1) return (double)c->phase[0].value;
    size_t left = x < middle(c, k) ? (k ? k - 1 : n - 1) : k;
    size_t right = left + 1 < n ? left + 1 : 0;
    double from = middle(c, left), to = middle(c, right);
    if (right == 0) to += 1;
    if (x < from) x += 1;
    const struct phase *a = &c->phase[left], *b = &c->phase[right];
    return spline_between(to - from, (x - from) / (to - from), (double)a->value,
                          (double)b->value, (double)a->bend, (double)b->bend);
}

const struct season *component_season(const struct component *c) { return &c->season; }

double component_value(const struct component *c, double time_s) {
    double share = season_share(&c->season, time_s);
    return share > 0 ? share * curve(c, season_phase(&c->season, time_s)) : 0;
}

struct component_spread component_spread(const struct component *c, double time_s) {
    double share = season_share(&c->season, time_s);
    if (share <= 0) return (struct component_spread){0, 0, 0};
    const struct phase *p = &c->phase[find(c, season_phase(&c->season, time_s))];
    double estimate = (double)p->variance / fmax((double)p->w, 1);
    return (struct component_spread){share * (double)p->variance,
                                     share * (double)c->mean_variance,
                                     share * share * estimate};
}

// --- learning --------------------------------------------------------------------------------

static void add(struct component *c, size_t k, double time_s, double target, double weight,
                double square) {
    struct phase *p = &c->phase[k];
    double t = (time_s - c->origin_s) / c->season.period_s;
    p->w += (float)weight;
    p->wt += (float)(weight * t);
    p->wtt += (float)(weight * t * t);
    p->wy += (float)(weight * target);
    p->wty += (float)(weight * t * target);
    p->ee += (float)(weight * square);
}

void component_learn(struct component *c, double time_s, double error, double weight) {
    weight *= season_share(&c->season, time_s);
    if (!(weight > 0)) return;
    size_t k = find(c, season_phase(&c->season, time_s));
    add(c, k, time_s, (double)c->phase[k].value + error, weight, error * error);
}

void component_age(struct component *c, double rate) { c->fade += rate; }

static void move_origin(struct component *c, double time_s) {
    float d = (float)((time_s - c->origin_s) / c->season.period_s);
    float keep = (float)exp(-c->fade);
    for (size_t k = 0; k < c->phases; k++) {
        struct phase *p = &c->phase[k];
        p->wtt = keep * (p->wtt - 2 * d * p->wt + d * d * p->w);
        p->wt = keep * (p->wt - d * p->w);
        p->wty = keep * (p->wty - d * p->wy);
        p->w *= keep;
        p->wy *= keep;
        p->ee *= keep;
    }
    c->origin_s = time_s;
    c->fade = 0;
}

// The line's value at its origin, now. A slope counts as far as it stands out of its own error
// (James and Stein, 1961).
static double line_now(const struct phase *p, bool sloped) {
    double w = (double)p->w, level = (double)p->wy / w, at = (double)p->wt / w;
    double spread = (double)p->wtt - at * (double)p->wt;
    if (!sloped || !(spread > 1e-3 * w)) return level;
    double slope = ((double)p->wty - at * (double)p->wy) / spread;
    double error = (double)p->ee / w / spread;
    double keep = slope * slope > error ? 1 - error / (slope * slope) : 0;
    return level - keep * slope * at;
}

// Phases without a value take what lies between their neighbours.
static void bridge(struct component *c, double *y) {
    size_t n = c->phases;
    for (size_t k = 0; k < n; k++) {
        if (c->phase[k].w > 0) continue;
        size_t left = 1, right = 1;
        while (left < n && !(c->phase[(k + n - left) % n].w > 0))
            left++;
        while (right < n && !(c->phase[(k + right) % n].w > 0))
            right++;
        if (left == n) return;  // nothing anywhere
        double a = y[(k + n - left) % n], b = y[(k + right) % n];
        y[k] = (a * (double)right + b * (double)left) / (double)(left + right);
    }
}

// Variances are smoothed over neighbours and drawn to their mean where there are few values.
static void read_variances(struct component *c) {
    size_t n = c->phases;
    double errors = 0, weights = 0;
    for (size_t k = 0; k < n; k++) {
        errors += (double)c->phase[k].ee;
        weights += (double)c->phase[k].w;
    }
    double mean = weights > 0 ? errors / weights : 0;
    c->mean_variance = (float)mean;
    for (size_t k = 0; k < n; k++) {
        const struct phase *a = &c->phase[k ? k - 1 : n - 1], *b = &c->phase[k],
                           *d = &c->phase[k + 1 < n ? k + 1 : 0];
        double ee = (double)a->ee / 4 + (double)b->ee / 2 + (double)d->ee / 4;
        double w = (double)a->w / 4 + (double)b->w / 2 + (double)d->w / 4;
        c->phase[k].variance = (float)((ee + SPREAD_PRIOR * mean) / (w + SPREAD_PRIOR));
    }
}

// Takes a level out of the lines and of y; the season's mean is the trend's business.
static double centre(struct component *c, double *y) {
    if (season_windowed(&c->season)) return 0;
    double mean = 0;
    for (size_t k = 0; k < c->phases; k++)
        mean += y[k] * (edge_after(c, k) - (double)c->phase[k].edge);
    for (size_t k = 0; k < c->phases; k++) {
        struct phase *p = &c->phase[k];
        p->wy -= (float)mean * p->w;
        p->wty -= (float)mean * p->wt;
        y[k] -= mean;
    }
    return mean;
}

static void draw(struct component *c, const double *y) {
    double x[COMPONENT_PHASES], bend[COMPONENT_PHASES];
    for (size_t k = 0; k < c->phases; k++)
        x[k] = middle(c, k);
    spline_bends(x, y, bend, c->phases);
    for (size_t k = 0; k < c->phases; k++) {
        c->phase[k].value = (float)y[k];
        c->phase[k].bend = (float)bend[k];
    }
}

double component_refresh(struct component *c, double time_s, bool force) {
    double every_s = fmin(c->season.period_s, SEASON_DAY_S);
    if (!force && time_s - c->origin_s < every_s) return 0;
    move_origin(c, time_s);
    bool sloped = time_s - c->first_s >= SLOPE_REPEATS * c->season.period_s;
    double y[COMPONENT_PHASES];
    for (size_t k = 0; k < c->phases; k++)
        y[k] = c->phase[k].w > 0 ? line_now(&c->phase[k], sloped) : 0;
    bridge(c, y);
    double mean = centre(c, y);
    read_variances(c);
    draw(c, y);
    return mean;
}

void component_scale(struct component *c, double factor) {
    float f = (float)factor;
    for (size_t k = 0; k < c->phases; k++) {
        struct phase *p = &c->phase[k];
        p->wy *= f;
        p->wty *= f;
        p->value *= f;
        p->bend *= f;
    }
}

void component_shift(struct component *c, double seconds) {
    double start = (c->season.start_s + seconds) / c->season.repeat_s;
    c->season.start_s = (start - floor(start)) * c->season.repeat_s;
}

// --- a new one -------------------------------------------------------------------------------

// The shape of the points over `cells` equal parts of the period, and how hard it is to draw:
// how far each part differs from its neighbours, beyond what chance does.
static void measure(const struct season *s, const struct component_point *points, size_t count,
                    double *hardness, size_t cells) {
    double sum[COMPONENT_CELLS] = {0}, weight[COMPONENT_CELLS] = {0}, total = 0;
    for (size_t i = 0; i < count; i++) {
        double share = season_share(s, points[i].time_s) * points[i].weight;
        size_t cell = (size_t)(season_phase(s, points[i].time_s) * (double)cells);
        if (cell >= cells) cell = cells - 1;
        sum[cell] += share * points[i].value;
        weight[cell] += share;
    }
    for (size_t i = 0; i < cells; i++)
        sum[i] = weight[i] > 0 ? sum[i] / weight[i] : 0;
    for (size_t i = 0; i < cells; i++) {
        double here = sum[i], left = sum[i ? i - 1 : cells - 1],
               right = sum[i + 1 < cells ? i + 1 : 0];
        hardness[i] = pow(fabs(here - left) + fabs(right - here), EXPONENT);
        total += hardness[i];
    }
    // Half of the phases are spread evenly, so that calm parts are drawn too.
    for (size_t i = 0; i < cells; i++)
        hardness[i] =
            total > 0 ? 0.5 / (double)cells + 0.5 * hardness[i] / total : 1 / (double)cells;
}

// Phases of whole cells, each about as hard to draw as the others.
static void place_edges(struct component *c, const double *hardness, size_t cells) {
    size_t k = 0;
    double sum = 0;
    for (size_t i = 0; i < cells && k < c->phases; i++) {
        bool due = sum >= (double)k / c->phases;
        bool must = cells - i == c->phases - k;  // every cell left begins a phase
        if (due || must) c->phase[k++].edge = (float)((double)i / (double)cells);
        sum += hardness[i];
    }
    c->phases = (uint32_t)k;
}

static void clear(struct component *c) {
    for (size_t k = 0; k < c->phases; k++) {
        struct phase *p = &c->phase[k];
        p->w = p->wt = p->wtt = p->wy = p->wty = p->ee = 0;
    }
}

// Fits, looks where the curve misses the points, and fits again: the curve then passes their
// means though a phase is wider than a value.
static void fit(struct component *c, const struct component_point *points, size_t count) {
    double last_s = points[count - 1].time_s;
    for (int pass = 0; pass < PASSES; pass++) {
        clear(c);
        c->origin_s = last_s;
        for (size_t i = 0; i < count; i++) {
            double t = points[i].time_s, share = season_share(&c->season, t);
            double x = season_phase(&c->season, t);
            size_t k = find(c, x);
            double error = points[i].value - curve(c, x), w = points[i].weight * share;
            if (share >= 0.5)
                add(c, k, t, (double)c->phase[k].value + error, w, w * error * error);
        }
        double y[COMPONENT_PHASES];
        for (size_t k = 0; k < c->phases; k++)
            y[k] = c->phase[k].w > 0 ? line_now(&c->phase[k], false) : 0;
        bridge(c, y);
        draw(c, y);
    }
    read_variances(c);
}

struct component *component_new(const struct season *s, double step_s,
                                const struct component_point *points, size_t count) {
    double cells = fmin(fmax(round(s->period_s / step_s), 1), COMPONENT_CELLS);
    size_t phases = s->period_s > LONG_S ? COMPONENT_PHASES : PHASES;
    if ((double)phases > cells) phases = (size_t)cells;
    struct component *c = calloc(1, sizeof *c + phases * sizeof c->phase[0]);
    if (!c) return NULL;
    c->season = *s;
    c->phases = (uint32_t)phases;
    c->first_s = points[0].time_s;
    double hardness[COMPONENT_CELLS] = {0};
    measure(s, points, count, hardness, (size_t)cells);
    place_edges(c, hardness, (size_t)cells);
    fit(c, points, count);
    return c;
}

void component_free(struct component *c) { free(c); }

size_t component_bytes(const struct component *c) {
    return sizeof *c + c->phases * sizeof c->phase[0];
}

// --- saving ----------------------------------------------------------------------------------

void component_save(const struct component *c, struct pack *p) {
    const double head[] = {c->season.period_s,
                           c->season.repeat_s,
                           c->season.start_s,
                           c->season.length_s,
                           c->origin_s,
                           c->first_s,
                           c->fade};
    for (size_t i = 0; i < sizeof head / sizeof *head; i++)
        pack_f64(p, head[i]);
    pack_bytes(p, &c->mean_variance, sizeof c->mean_variance);
    pack_u32(p, c->phases);
    pack_bytes(p, c->phase, c->phases * sizeof c->phase[0]);
}

static bool sound(const struct component *c) {
    const struct season *s = &c->season;
    if (!(s->period_s > 0 && s->repeat_s >= s->period_s && s->length_s > 0)) return false;
    if (!isfinite(s->start_s) || !isfinite(c->origin_s) || c->phase[0].edge != 0) return false;
    for (size_t k = 0; k < c->phases; k++)
        if (!((double)c->phase[k].edge < edge_after(c, k))) return false;
    return true;
}

enum component_loaded component_load(struct unpack *u, struct component **out) {
    struct component head = {0};
    double *fields[] = {&head.season.period_s,
                        &head.season.repeat_s,
                        &head.season.start_s,
                        &head.season.length_s,
                        &head.origin_s,
                        &head.first_s,
                        &head.fade};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        *fields[i] = unpack_f64(u);
    unpack_bytes(u, &head.mean_variance, sizeof head.mean_variance);
    head.phases = unpack_u32(u);
    if (u->failed || head.phases < 1 || head.phases > COMPONENT_PHASES)
        return COMPONENT_DAMAGED;
    size_t size = head.phases * sizeof head.phase[0];
    struct component *c = malloc(sizeof *c + size);
    if (!c) return COMPONENT_NO_MEMORY;
    memcpy(c, &head, sizeof head);
    unpack_bytes(u, c->phase, size);
    if (u->failed || !sound(c)) {
        component_free(c);
        return COMPONENT_DAMAGED;
    }
    *out = c;
    return COMPONENT_LOADED;
}
