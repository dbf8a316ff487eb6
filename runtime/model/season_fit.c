/* model/season_fit.c - see season_fit.h. */
#include "model/season_fit.h"

#include "model/moments.h"
#include "model/special.h"
#include <math.h>
#include <string.h>

#define CELLS 168         // at most; 1 h of a week
#define CELLS_OF_WEEK 84  // of a long period; 2 h of a week
#define CELLS_OF_DAY 36   // of periods up to three days
#define COARSER 3
#define NO_CELL CELLS
#define PASSES 3
#define PIECES 4
#define PIECE_LEAST 12        // values
#define LN_PIECE (-4.605170)  // ln 0.01: a break in the trend must be less likely by chance
#define MOST_ALIKE 0.9999     // correlation of neighbouring errors
#define SMALLEST 1e-14        // squares are never less than this share of the values' own

// --- seasons ---------------------------------------------------------------------------------

// One season's means, and which of them each value belongs to.
struct cells {
    size_t count;
    double mean[CELLS + 1];
    uint8_t of[SEASON_VALUES];
};

static void place(struct cells *c, const struct season *s, const struct season_series *x,
                  enum season_detail detail) {
    double most = s->period_s > 3 * SEASON_DAY_S ? CELLS_OF_WEEK : CELLS_OF_DAY;
    if (detail == SEASON_SHARP) most = CELLS;
    if (detail == SEASON_COARSE) most /= COARSER;
    double steps = fmax(round(s->period_s / x->step_s), 1);
    double cells = round(steps / ceil(steps / most));  // of whole steps, where the period is
    c->count = (size_t)cells;
    memset(c->mean, 0, sizeof c->mean);
    for (size_t i = 0; i < x->count; i++) {
        double t = season_time(x, i);
        size_t cell = (size_t)(season_phase(s, t) * cells);
        if (cell >= c->count) cell = c->count - 1;
        c->of[i] = (uint8_t)(season_share(s, t) >= 0.5 ? cell : NO_CELL);
    }
}

// Takes the means of `left` into the cells, and out of it.
static void absorb(struct cells *c, const struct season_series *x, double *left) {
    double sum[CELLS + 1] = {0}, weight[CELLS + 1] = {0};
    for (size_t i = 0; i < x->count; i++) {
        sum[c->of[i]] += x->weight[i] * left[i];
        weight[c->of[i]] += x->weight[i];
    }
    for (size_t k = 0; k < c->count; k++)
        sum[k] = weight[k] > 0 ? sum[k] / weight[k] : 0;
    sum[NO_CELL] = 0;
    for (size_t k = 0; k < c->count; k++)
        c->mean[k] += sum[k];
    for (size_t i = 0; i < x->count; i++)
        left[i] -= sum[c->of[i]];
}

static double cells_used(const struct cells *c, const struct season_series *x) {
    uint8_t seen[CELLS + 1] = {0};
    double used = 0;
    for (size_t i = 0; i < x->count; i++) {
        if (c->of[i] == NO_CELL || x->weight[i] <= 0 || seen[c->of[i]]) continue;
        seen[c->of[i]] = 1;
        used++;
    }
    return used;
}

// --- trends ----------------------------------------------------------------------------------

static double place_of(const struct season_series *x, size_t i) {
    return ((double)i + 0.5) / (double)x->count;
}

static double fit_parabola(const struct season_series *x, const double *left, double *trend) {
    struct moments m = {0};
    for (size_t i = 0; i < x->count; i++)
        moments_add(&m, place_of(x, i), left[i], x->weight[i]);
    struct parabola p = moments_fit(&m, 2, 0, NULL);
    for (size_t i = 0; i < x->count; i++)
        trend[i] = parabola_at(&p, place_of(x, i));
    return 3;
}

// Sums up to a value, so that any piece's line costs a subtraction.
struct sums {
    double w, t, tt, y, ty, yy;
};

static struct sums sums_between(const struct sums *upto, size_t from, size_t to) {
    const struct sums *a = &upto[from], *b = &upto[to];
    return (struct sums){b->w - a->w, b->t - a->t,   b->tt - a->tt,
                         b->y - a->y, b->ty - a->ty, b->yy - a->yy};
}

// Squares around the best line, and that line as level and slope.
static double line_of(struct sums s, double *level, double *slope) {
    *level = *slope = 0;
    if (!(s.w > 0)) return 0;
    double t = s.t / s.w, y = s.y / s.w;
    double spread = s.tt - s.t * t, along = s.ty - s.t * y;
    *slope = spread > 1e-12 * s.w ? along / spread : 0;
    *level = y - *slope * t;
    return fmax(s.yy - s.y * y - *slope * along, 0);
}

static double squares_between(const struct sums *upto, size_t from, size_t to) {
    double level, slope;
    return line_of(sums_between(upto, from, to), &level, &slope);
}

static double ln_f_chance(double ratio, double d1, double d2) {
    if (!(ratio > 0) || !(d1 > 0) || !(d2 > 0)) return 0;
    if (isinf(ratio)) return -700;
    return special_ln_beta_below(d2 / 2, d1 / 2, d2 / (d2 + d1 * ratio));
}

// The place in a piece where two lines are best; 0 when none is significantly better than one.
static size_t best_break(const struct sums *upto, size_t from, size_t to, double *gain) {
    double whole = squares_between(upto, from, to), best = whole;
    size_t at = 0;
    for (size_t i = from + PIECE_LEAST; i + PIECE_LEAST <= to; i++) {
        double both = squares_between(upto, from, i) + squares_between(upto, i, to);
        if (both < best) best = both, at = i;
    }
    double freedom = upto[to].w - upto[from].w - 5;
    if (!at || freedom <= 0) return 0;
    double ratio = (whole - best) / 3 / (best / freedom);
    *gain = whole - best;
    return ln_f_chance(ratio, 3, freedom) < LN_PIECE ? at : 0;
}

// Breaks the piece that gains most, up to PIECES of them. Returns how many, ends[] ascending.
static size_t find_pieces(const struct sums *upto, size_t count, size_t ends[PIECES]) {
    size_t pieces = 1;
    ends[0] = count;
    while (pieces < PIECES) {
        size_t best_at = 0, best_piece = 0;
        double best_gain = 0;
        for (size_t k = 0; k < pieces; k++) {
            double gain = 0;
            size_t at = best_break(upto, k ? ends[k - 1] : 0, ends[k], &gain);
            if (at && gain > best_gain) best_gain = gain, best_at = at, best_piece = k;
        }
        if (!best_at) break;
        memmove(&ends[best_piece + 1], &ends[best_piece], (pieces - best_piece) * sizeof *ends);
        ends[best_piece] = best_at;
        pieces++;
    }
    return pieces;
}

static double fit_pieces(const struct season_series *x, const double *left, double *trend) {
    struct sums upto[SEASON_VALUES + 1] = {{0, 0, 0, 0, 0, 0}};
    for (size_t i = 0; i < x->count; i++) {
        double w = x->weight[i], t = place_of(x, i), y = left[i];
        const struct sums *s = &upto[i];
        upto[i + 1] = (struct sums){s->w + w,     s->t + w * t,      s->tt + w * t * t,
                                    s->y + w * y, s->ty + w * t * y, s->yy + w * y * y};
    }
    size_t ends[PIECES], pieces = find_pieces(upto, x->count, ends), from = 0;
    for (size_t k = 0; k < pieces; from = ends[k++]) {
        double level, slope;
        (void)line_of(sums_between(upto, from, ends[k]), &level, &slope);
        for (size_t i = from; i < ends[k]; i++)
            trend[i] = level + slope * place_of(x, i);
    }
    return 3 * (double)pieces - 1;
}

// --- both ------------------------------------------------------------------------------------

static void summarise(const struct season_series *x, struct season_fit *f) {
    double sum = 0, squares = 0, pairs = 0, both = 0, plain = 0;
    for (size_t i = 0; i < x->count; i++)
        sum += x->weight[i] * x->value[i];
    f->values = f->squares = 0;
    for (size_t i = 0; i < x->count; i++)
        f->values += x->weight[i];
    double mean = f->values > 0 ? sum / f->values : 0;
    for (size_t i = 0; i < x->count; i++) {
        double w = x->weight[i], e = f->left[i], d = x->value[i] - mean;
        f->squares += w * e * e;
        squares += w * d * d;
        if (i == 0) continue;
        double pair = w * x->weight[i - 1], before = f->left[i - 1];
        both += pair * e * before;
        plain += pair * (e * e + before * before) / 2;
        pairs += pair;
    }
    f->squares = fmax(f->squares, SMALLEST * (squares + f->values * mean * mean));
    double alike = pairs > 0 && plain > 0 ? fmin(fmax(both / plain, 0), MOST_ALIKE) : 0;
    f->alike = alike;
    f->news = f->squares * (1 - alike * alike);
}

void season_fit(const struct season_series *x, const struct season_set *set,
                enum season_trend trend, enum season_detail detail, struct season_fit *out) {
    struct cells cells[SEASON_SET];
    for (size_t k = 0; k < set->count; k++)
        place(&cells[k], &set->season[k], x, detail);
    memcpy(out->left, x->value, x->count * sizeof *out->left);
    memset(out->trend, 0, x->count * sizeof *out->trend);
    double trended = 0;
    for (int pass = 0; pass < PASSES; pass++) {
        // The first parabola comes before the seasons, pieces after them: they would follow the
        // seasons themselves.
        enum season_trend now = pass || set->count == 0 ? trend : SEASON_PARABOLA;
        for (size_t i = 0; i < x->count; i++)
            out->left[i] += out->trend[i];
        trended = now == SEASON_PIECES ? fit_pieces(x, out->left, out->trend)
                                       : fit_parabola(x, out->left, out->trend);
        for (size_t i = 0; i < x->count; i++)
            out->left[i] -= out->trend[i];
        for (size_t k = 0; k < set->count; k++)
            absorb(&cells[k], x, out->left);
        if (set->count == 0) break;
    }
    out->parameters = trended;
    for (size_t k = 0; k < set->count; k++)
        out->parameters += fmax(cells_used(&cells[k], x) - 1, 0);
    summarise(x, out);
}

// What one value is worth beside its neighbours (Bartlett, 1935).
static double worth(const struct season_fit *f, enum season_rule rule) {
    return rule == SEASON_STRICT ? 1 : (1 - f->alike) / (1 + f->alike);
}

static double errors(const struct season_fit *f, enum season_rule rule) {
    return rule == SEASON_STRICT ? f->news : f->squares;
}

double season_ln_chance(const struct season_fit *small, const struct season_fit *large,
                        enum season_rule rule) {
    double gained = errors(small, rule) - errors(large, rule), each = worth(large, rule);
    double d1 = large->parameters - small->parameters;
    double d2 = large->values - large->parameters;
    if (!(gained > 0) || !(d1 > 0) || !(d2 > 0)) return 0;
    return ln_f_chance(gained / d1 / (errors(large, rule) / d2), d1 * each, d2 * each);
}

double season_explained(const struct season_fit *small, const struct season_fit *large) {
    double before = small->values - small->parameters,
           after = large->values - large->parameters;
    if (!(before > 0) || !(after > 0) || !(small->squares > 0)) return 0;
    return 1 - large->squares / after / (small->squares / before);
}

double season_bic_gain(const struct season_fit *a, const struct season_fit *b,
                       enum season_rule rule) {
    double before = errors(a, rule), after = errors(b, rule);
    if (!(before > 0) || !(after > 0)) return 0;
    double each = worth(after < before ? b : a, rule), values = each * b->values;
    if (!(values > 1)) return 0;
    return values * log(before / after) - each * (b->parameters - a->parameters) * log(values);
}
