/* model/season_test.c - see season_test.h. */
#include "model/season_test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define REPEATS 1.9  // of a period that must have been seen
#define REPEATS_FOR_BREAKS 4.0
#define FEW_REPEATS 3.0            // below, the evidence must be stronger
#define LN_CHANCE (-9.21034)       // ln 1e-4
#define LN_CHANCE_FEW (-13.81551)  // ln 1e-6
#define LN_GONE (-0.916291)        // ln 0.4: what is known goes only above this
#define EXPLAINED 0.5
#define EXPLAINED_FEW 0.7
#define ADDED_LEAST 0.1   // of the variance that the others leave
#define SPLIT_MARGIN 6.0  // BIC by which days of the week must beat equal days
#define PEAK_LEAST 0.3    // autocorrelation of a free period
#define NEAR_CALENDAR 0.05
#define NEAR_EQUAL 1.1  // a longer period must be so much better than a shorter one
#define REFINE_ROUNDS 2
#define REFINE_TRIES 4
#define ROUNDS 3
#define LEAST_VALUES 8
#define WORST 0.1  // share of values that a second look trusts less
#define WORST_WEIGHT 0.1
#define WORST_SHARE 0.45  // of all squares; a normal distribution's worst tenth has 0.44
#define HOUR 3600.0
#define DAY SEASON_DAY_S
#define WEEK SEASON_WEEK_S
#define WEEK_BINS 168  // hours
#define WEEKEND_BINS 48

// A set, its fits with both kinds of trend, and which is better.
struct trial {
    struct season_set set;
    struct season_fit fit;
};

struct choice {
    struct season_series x;
    double shortest_s;
    struct trial none, now, next, best;
    bool found;               // best is filled
    struct season_fit other;  // scratch
};

bool season_testable(const struct season *s, double step_s, size_t count) {
    double seen = (double)count * step_s / s->repeat_s;
    return seen >= REPEATS && s->period_s >= 2 * step_s;
}

static double fewest_repeats(const struct choice *c, const struct season_set *set) {
    double length = (double)c->x.count * c->x.step_s, fewest = INFINITY;
    for (size_t i = 0; i < set->count; i++)
        fewest = fmin(fewest, length / set->season[i].repeat_s);
    return fewest;
}

static void fit_as(struct choice *c, struct trial *t, enum season_trend trend,
                   enum season_detail detail) {
    season_fit(&c->x, &t->set, trend, detail, &c->other);
    if (season_bic_gain(&t->fit, &c->other, SEASON_STRICT) > 0) t->fit = c->other;
}

// As BIC likes it best, with breaks in the trend or without.
static void fit(struct choice *c, struct trial *t, bool breaks) {
    season_fit(&c->x, &t->set, SEASON_PARABOLA, SEASON_FINE, &t->fit);
    if (t->set.count) fit_as(c, t, SEASON_PARABOLA, SEASON_COARSE);
    if (t->set.count) fit_as(c, t, SEASON_PARABOLA, SEASON_SHARP);
    if (!breaks) return;
    fit_as(c, t, SEASON_PIECES, SEASON_FINE);
    if (t->set.count) fit_as(c, t, SEASON_PIECES, SEASON_COARSE);
}

static void add(struct season_set *set, struct season s) {
    if (set->count < SEASON_SET) set->season[set->count++] = s;
}

static bool has(const struct season_set *set, const struct season *s) {
    for (size_t i = 0; i < set->count; i++)
        if (season_same(&set->season[i], s)) return true;
    return false;
}

static void drop(struct season_set *set, size_t i) {
    memmove(&set->season[i], &set->season[i + 1], (set->count - i - 1) * sizeof set->season[0]);
    set->count--;
}

// --- free periods ----------------------------------------------------------------------------

static double alike_at(const double *value, const double *weight, size_t count, size_t lag) {
    double both = 0, left = 0, right = 0;
    for (size_t i = 0; i + lag < count; i++) {
        double w = weight[i] * weight[i + lag], a = value[i], b = value[i + lag];
        both += w * a * b;
        left += w * a * a;
        right += w * b * b;
    }
    return left > 0 && right > 0 ? both / sqrt(left * right) : 0;
}

// The period, in steps, at which values are most alike, up to a quarter of their number; among
// near equals the shortest. 0 when there is none.
static size_t likeliest_lag(const struct choice *c, double *strength) {
    double alike[SEASON_VALUES / 4 + 2] = {0};
    size_t longest = c->x.count / 4, best = 0;
    for (size_t k = 1; k <= longest + 1; k++)
        alike[k] = alike_at(c->now.fit.left, c->x.weight, c->x.count, k);
    for (size_t k = 2; k <= longest; k++)
        if (alike[k] > alike[k - 1] && alike[k] >= alike[k + 1] &&
            (!best || alike[k] > NEAR_EQUAL * alike[best]))
            best = k;
    *strength = best ? alike[best] : 0;
    return best;
}

// Fractions of a step: of the periods whose last repeat ends within half a step or so of where
// the lag says, the one that leaves least.
static double refine(struct choice *c, double steps) {
    double repeats = (double)c->x.count / steps, reach = 1, best = steps, least = INFINITY;
    for (int round = 0; round < REFINE_ROUNDS; round++, reach /= REFINE_TRIES) {
        double around = best;
        for (int i = -REFINE_TRIES; i <= REFINE_TRIES; i++) {
            double at = around + reach * i / REFINE_TRIES / fmax(repeats / 4, 1);
            if (at < 2) continue;
            struct season_set one = {1, {season_of(at * c->x.step_s)}};
            season_fit(&c->x, &one, SEASON_PARABOLA, SEASON_FINE, &c->other);
            if (c->other.squares < least) least = c->other.squares, best = at;
        }
    }
    return best;
}

static bool near_calendar(double period_s) {
    for (double whole = DAY; whole <= 2 * WEEK; whole += DAY)
        if (fabs(period_s - whole) < NEAR_CALENDAR * DAY) return true;
    return false;
}

// What runs by the clock repeats after a round time: the roundest one that ends the last repeat
// within a step of where the period does.
static double rounded(const struct choice *c, double period_s) {
    static const double units[] = {DAY,      HOUR,      HOUR / 2, HOUR / 4,
                                   HOUR / 6, HOUR / 12, HOUR / 60};
    double repeats = (double)c->x.count * c->x.step_s / period_s;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        double whole = round(period_s / units[i]) * units[i];
        if (whole > 0 && fabs(whole - period_s) * repeats <= c->x.step_s) return whole;
    }
    return period_s;
}

static bool free_season(struct choice *c, struct season *out) {
    double strength;
    size_t lag = likeliest_lag(c, &strength);
    if (lag < 2 || strength < PEAK_LEAST) return false;
    if (near_calendar((double)lag * c->x.step_s)) return false;
    *out = season_of(rounded(c, refine(c, (double)lag) * c->x.step_s));
    return true;
}

// --- acceptance ------------------------------------------------------------------------------

// The phase with the largest mean stands out in every repeat: jobs that run at a fixed time.
static bool spiky(const struct choice *c, const struct season *s) {
    size_t cells = (size_t)fmax(round(s->period_s / c->x.step_s), 1);
    if (cells > SEASON_VALUES / 4) return false;
    double sum[SEASON_VALUES / 4] = {0}, squares[SEASON_VALUES / 4] = {0},
                               count[SEASON_VALUES / 4] = {0};
    for (size_t i = 0; i < c->x.count; i++) {
        size_t k = (size_t)(season_phase(s, season_time(&c->x, i)) * (double)cells);
        if (k >= cells) k = cells - 1;
        double w = c->x.weight[i], e = c->now.fit.left[i];
        sum[k] += w * e;
        squares[k] += w * e * e;
        count[k] += w;
    }
    double deviation = sqrt(c->now.fit.squares / fmax(c->now.fit.values, 1));
    for (size_t k = 0; k < cells; k++) {
        if (count[k] < 4) continue;
        double mean = sum[k] / count[k];
        double scatter = sqrt(fmax(squares[k] / count[k] - mean * mean, 0) / (count[k] - 1));
        if (fabs(mean) > 3 * deviation && fabs(mean) > 10 * scatter) return true;
    }
    return false;
}

// One more day or week is plausible; any other period must stand for itself.
static enum season_rule rule_of(const struct choice *c, const struct season *added) {
    bool calendar = fmod(added->repeat_s, DAY) == 0;
    return c->now.set.count && calendar ? SEASON_LENIENT : SEASON_STRICT;
}

// Whether the next set is more than the present one, beyond chance.
static bool accepted(const struct choice *c, const struct season *added) {
    bool few = fewest_repeats(c, &c->next.set) < FEW_REPEATS;
    double most = few ? LN_CHANCE_FEW : LN_CHANCE;
    enum season_rule rule = rule_of(c, added);
    if (season_ln_chance(&c->now.fit, &c->next.fit, rule) > most) return false;
    if (season_ln_chance(&c->none.fit, &c->next.fit, SEASON_STRICT) > most) return false;
    if (season_explained(&c->now.fit, &c->next.fit) < ADDED_LEAST) return false;
    double explained = season_explained(&c->none.fit, &c->next.fit);
    return explained >= (few ? EXPLAINED_FEW : EXPLAINED) || spiky(c, added);
}

// --- candidates ------------------------------------------------------------------------------

// Tries a set; it becomes the best of this round when it is accepted, beats the present set by
// `margin` in BIC and the best so far by anything.
static void consider(struct choice *c, const struct season *added, double margin) {
    // Where few repeats were seen, breaks of the trend and a season can stand for each other.
    fit(c, &c->next, fewest_repeats(c, &c->next.set) >= REPEATS_FOR_BREAKS);
    enum season_rule rule = rule_of(c, added);
    if (!accepted(c, added) || season_bic_gain(&c->now.fit, &c->next.fit, rule) < margin)
        return;
    if (!c->found || season_bic_gain(&c->best.fit, &c->next.fit, rule) > 0) c->best = c->next;
    c->found = true;
}

static void consider_one(struct choice *c, struct season s) {
    if (s.period_s <= c->shortest_s || has(&c->now.set, &s)) return;
    if (!season_testable(&s, c->x.step_s, c->x.count)) return;
    c->next.set = c->now.set;
    add(&c->next.set, s);
    consider(c, &s, 0);
}

// Weekdays and weekends instead of equal days. The weekend starts at the hour from which two
// days differ most from the others.
static double weekend_start(const struct choice *c, const struct season_fit *of) {
    double sum[WEEK_BINS] = {0}, count[WEEK_BINS] = {0}, all = 0, values = 0;
    for (size_t i = 0; i < c->x.count; i++) {
        double weeks = season_time(&c->x, i) / WEEK, w = c->x.weight[i];
        size_t bin = (size_t)((weeks - floor(weeks)) * WEEK_BINS);
        if (bin >= WEEK_BINS) bin = WEEK_BINS - 1;
        sum[bin] += w * of->left[i];
        count[bin] += w;
        all += w * of->left[i];
        values += w;
    }
    double inside = 0, weight = 0, best = -1;
    size_t at = 0;
    for (size_t i = 0; i < WEEK_BINS + WEEKEND_BINS; i++) {
        if (i >= WEEKEND_BINS) {  // the two days that begin in bin i - WEEKEND_BINS are inside
            double others = values - weight;
            double apart =
                weight > 0 && others > 0 ? fabs(inside / weight - (all - inside) / others) : 0;
            if (apart > best * (1 + 1e-9)) best = apart, at = i - WEEKEND_BINS;
            inside -= sum[i - WEEKEND_BINS];
            weight -= count[i - WEEKEND_BINS];
        }
        inside += sum[i % WEEK_BINS];
        weight += count[i % WEEK_BINS];
    }
    return (double)at * WEEK / WEEK_BINS;
}

static void consider_week(struct choice *c) {
    struct season weekend = season_of_days(0, 2 * DAY);
    if (WEEK <= c->shortest_s || has(&c->now.set, &weekend)) return;
    if (!season_testable(&weekend, c->x.step_s, c->x.count)) return;
    c->next.set = c->now.set;
    struct season day = season_of(DAY);
    for (size_t i = c->next.set.count; i-- > 0;)
        if (season_same(&c->next.set.season[i], &day)) drop(&c->next.set, i);
    if (c->next.set.count + 2 > SEASON_SET) return;
    season_fit(&c->x, &(struct season_set){1, {day}}, SEASON_PARABOLA, SEASON_FINE, &c->other);
    double start = weekend_start(c, &c->other);
    add(&c->next.set, season_of_days(start, 2 * DAY));
    double after = start + 2 * DAY;
    add(&c->next.set, season_of_days(after < WEEK ? after : after - WEEK, 5 * DAY));
    consider(c, &weekend, c->now.set.count ? SPLIT_MARGIN : 0);
}

static size_t days_of_week(const struct season_set *set) {
    size_t count = 0;
    for (size_t i = 0; i < set->count; i++)
        count += season_windowed(&set->season[i]);
    return count;
}

// One more season, the one that BIC likes best. False when none is accepted.
static bool round_of(struct choice *c) {
    struct season any;
    c->found = false;
    if (days_of_week(&c->now.set) == 0) consider_one(c, season_of(DAY));
    consider_one(c, season_of(WEEK));
    consider_one(c, season_of(SEASON_YEAR_S));
    if (free_season(c, &any)) consider_one(c, any);
    consider_week(c);
    if (c->found) c->now = c->best;
    return c->found;
}

// Takes one season out, or weekdays and weekends together, with equal days in their place.
static void without(const struct season_set *set, size_t i, struct season_set *out) {
    *out = *set;
    if (!season_windowed(&set->season[i])) {
        drop(out, i);
        return;
    }
    for (size_t k = out->count; k-- > 0;)
        if (season_windowed(&out->season[k])) drop(out, k);
    add(out, season_of(DAY));
}

// Whether a longer season of the set repeats it whole: a week holds its days, so the fit cannot
// tell whether the day is there as well.
static bool held(const struct season_set *set, size_t i) {
    for (size_t k = 0; k < set->count; k++) {
        double ratio = set->season[k].period_s / set->season[i].period_s;
        if (ratio > 1.5 && fabs(ratio - round(ratio)) < 0.02) return true;
    }
    return false;
}

// Seasons without which the fit is not worse go.
static void prune(struct choice *c) {
    for (size_t i = c->now.set.count; i-- > 0;) {
        if (i >= c->now.set.count || held(&c->now.set, i)) continue;
        without(&c->now.set, i, &c->next.set);
        fit(c, &c->next, true);
        if (season_ln_chance(&c->next.fit, &c->now.fit, SEASON_LENIENT) > LN_GONE)
            c->now = c->next;
    }
}

// --- the whole -------------------------------------------------------------------------------

static int larger_first(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

// The values that fit worst count less in a second look, so that outliers hide nothing. False
// when they weigh no more than those of a normal distribution: nothing is then hidden.
static bool distrust(struct choice *c) {
    double size[SEASON_VALUES], worst = 0;
    size_t count = c->x.count, most = (size_t)(WORST * (double)count);
    for (size_t i = 0; i < count; i++)
        size[i] = fabs(c->now.fit.left[i]);
    qsort(size, count, sizeof *size, larger_first);
    for (size_t i = 0; i < most; i++)
        worst += size[i] * size[i];
    if (worst <= WORST_SHARE * c->now.fit.squares) return false;
    for (size_t i = 0; i < count; i++)
        if (fabs(c->now.fit.left[i]) > size[most]) c->x.weight[i] *= WORST_WEIGHT;
    return true;
}

static void look(struct choice *c, const struct season_set *known) {
    c->none.set.count = 0;
    fit(c, &c->none, true);
    c->now = c->none;
    if (known->count) {
        c->now.set = *known;
        fit(c, &c->now, true);
        prune(c);
    }
    for (int i = 0; i < ROUNDS && round_of(c); i++)
        continue;
    if (c->now.set.count > 1) prune(c);
}

void season_choose(const struct season_series *x, const struct season_set *known,
                   double shortest_s, struct season_set *out) {
    *out = *known;
    if (x->count < LEAST_VALUES) return;
    struct choice c;
    c.x = *x;
    c.shortest_s = shortest_s;
    look(&c, known);
    *out = c.now.set;
    if (!distrust(&c)) return;
    look(&c, known);
    if (c.now.set.count > out->count) *out = c.now.set;
}
