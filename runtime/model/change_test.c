/* model/change_test.c - see change.h: which change explains the past four days. */
#include "model/change.h"
#include "model/moments.h"
#include "model/special.h"

#define LEAST_BEFORE 12  // slots that must lie before a change
#define LEAST_AFTER 5
#define LN_CHANCE (-9.21034)  // ln 1e-4, against no change
#define MARGIN 6.0            // AICc by which seasons must beat a level
#define UNEXPLAINED 0.5       // of the squares without a change, at most
#define LEAST_SIGMAS 3.0      // of a level shift
#define MOST_SIGMAS 1.3       // of what a change leaves
#define LEAST_SCALE 0.1       // from 1
#define NONE 3.0              // parameters: a parabola; level, split; + what has changed
#define CHANGED 3.0

// How well one explanation fits, and where it begins.
struct story {
    struct change change;
    double squares;
};

static double square(double x) { return x * x; }

static double error_before(const struct change_past *p, size_t i) {
    return p->value[i] - p->level[i] - p->season[(CHANGE_OFFSETS - 1) / 2][i];
}

// The slot from which a change fits best: errors before it as they are, after it as they would
// be.
static void best_split(const double *before, const double *after, size_t count,
                       struct story *s) {
    double squares = 0;
    for (size_t i = 0; i < count; i++)
        squares += i < LEAST_BEFORE ? square(before[i]) : square(after[i]);
    s->squares = INFINITY;
    for (size_t at = LEAST_BEFORE; at + LEAST_AFTER <= count; at++) {
        if (squares < s->squares) s->squares = squares, s->change.since = at;
        squares += square(before[at]) - square(after[at]);
    }
}

static struct story no_change(const double *before, size_t count) {
    struct moments m = {0};
    for (size_t i = 0; i < count; i++)
        moments_add(&m, (double)i / (double)count, before[i], 1);
    struct parabola p = moments_fit(&m, 2, 0, NULL);
    struct story s = {{CHANGE_NONE, 0, 0}, 0};
    for (size_t i = 0; i < count; i++)
        s.squares += square(before[i] - parabola_at(&p, (double)i / (double)count));
    return s;
}

// Every split, with the mean error after it as the new level.
static struct story new_level(const double *before, size_t count) {
    double sum = 0, squares = 0, head = 0;
    for (size_t i = 0; i < count; i++)
        sum += before[i], squares += square(before[i]);
    struct story s = {{CHANGE_LEVEL, 0, 0}, INFINITY};
    for (size_t at = 0; at + LEAST_AFTER <= count; at++) {
        double after = (double)(count - at), mean = (sum - head) / after;
        double left = squares - after * mean * mean;
        if (at >= LEAST_BEFORE && left < s.squares) {
            s.squares = left;
            s.change.amount = mean;
            s.change.since = at;
        }
        head += before[at];
    }
    return s;
}

// Every split, with the regression of what came after it on the seasons.
static struct story new_scale(const struct change_past *p, const double *before) {
    const double *season = p->season[(CHANGE_OFFSETS - 1) / 2];
    double along = 0, size = 0, squares = 0;
    for (size_t i = 0; i < p->count; i++) {
        along += before[i] * season[i];
        size += square(season[i]);
        squares += square(before[i]);
    }
    struct story s = {{CHANGE_SCALE, 1, 0}, INFINITY};
    for (size_t at = 0; at + LEAST_AFTER <= p->count && size > 0; at++) {
        double left = squares - square(along) / size;
        if (at >= LEAST_BEFORE && left < s.squares) {
            s.squares = left;
            s.change.amount = 1 + along / size;
            s.change.since = at;
        }
        along -= before[at] * season[at];
        size -= square(season[at]);
    }
    return s;
}

static struct story new_time(const struct change_past *p, const double *before) {
    struct story best = {{CHANGE_TIME, 0, 0}, INFINITY};
    for (size_t k = 0; k < CHANGE_OFFSETS; k++) {
        double after[CHANGE_SLOTS];
        for (size_t i = 0; i < p->count; i++)
            after[i] = p->value[i] - p->level[i] - p->season[k][i];
        struct story s = {{CHANGE_TIME, change_offset(k), 0}, INFINITY};
        best_split(before, after, p->count, &s);
        if (s.squares < best.squares) best = s;
    }
    return best;
}

static double aicc(double squares, double parameters, double count) {
    return count * log(fmax(squares, 1e-300) / count) + 2 * parameters +
           2 * parameters * (parameters + 1) / (count - parameters - 1);
}

// Whether a change is beyond chance, and large.
static bool holds(const struct story *s, const struct story *none, double count, double sigma) {
    if (!(s->squares < none->squares)) return false;
    // A holiday is a little like a level, a scale and a shift of the clock at once, and like
    // none.
    if (s->squares > UNEXPLAINED * none->squares) return false;
    double freedom = count - CHANGED, gain = none->squares - s->squares;
    double x = s->squares / (s->squares + gain);  // of F with one degree above
    if (special_ln_beta_below(freedom / 2, 0.5, x) > LN_CHANCE) return false;
    if (s->change.kind == CHANGE_LEVEL) return fabs(s->change.amount) > LEAST_SIGMAS * sigma;
    if (s->change.kind == CHANGE_SCALE)
        return s->change.amount > LEAST_SCALE && fabs(s->change.amount - 1) > LEAST_SCALE;
    return s->change.amount != 0;
}

// What is expected of slot i once the change is known.
static double error_after(const struct change_past *p, const struct change *c, size_t i) {
    const double *season = p->season[(CHANGE_OFFSETS - 1) / 2];
    double left = error_before(p, i);
    switch (c->kind) {
    case CHANGE_LEVEL:
        return left - c->amount;
    case CHANGE_SCALE:
        return left - (c->amount - 1) * season[i];
    case CHANGE_TIME:
        return p->value[i] - p->level[i] -
               p->season[lround(c->amount / CHANGE_OFFSET_S) + (CHANGE_OFFSETS - 1) / 2][i];
    case CHANGE_NONE:
        break;
    }
    return left;
}

// Whether what came after it scatters about as ever: a holiday is lower too, but not evenly.
static bool explains(const struct change_past *p, const struct change *c, double sigma) {
    double left = 0;
    for (size_t i = c->since; i < p->count; i++)
        left += square(error_after(p, c, i));
    return left <= square(MOST_SIGMAS * sigma) * (double)(p->count - c->since);
}

// Whether the newest slots are still as after the change, not as before it.
static bool goes_on(const struct change_past *p, const struct change *c) {
    double with = 0, without = 0;
    for (size_t i = p->count - LEAST_AFTER; i < p->count; i++) {
        with += square(error_after(p, c, i));
        without += square(error_before(p, i));
    }
    return with < without;
}

struct change change_test(const struct change_past *past, bool seasonal, double sigma,
                          double least_s) {
    struct change none = {CHANGE_NONE, 0, 0};
    size_t least = (size_t)fmax(ceil(least_s / past->step_s), LEAST_AFTER);
    if (past->count < LEAST_BEFORE + least) return none;
    double before[CHANGE_SLOTS], count = (double)past->count;
    for (size_t i = 0; i < past->count; i++)
        before[i] = error_before(past, i);
    struct story still = no_change(before, past->count);
    struct story best = new_level(before, past->count);
    double price = aicc(best.squares, CHANGED, count);
    if (seasonal) {
        struct story other[] = {new_scale(past, before), new_time(past, before)};
        for (size_t i = 0; i < 2; i++) {
            double asked = aicc(other[i].squares, CHANGED, count);
            if (asked + (best.change.kind == CHANGE_LEVEL ? MARGIN : 0) > price) continue;
            best = other[i];
            price = asked;
        }
    }
    bool lasted = past->count - best.change.since >= least && goes_on(past, &best.change) &&
                  explains(past, &best.change, sigma);
    return lasted && holds(&best, &still, count, sigma) ? best.change : none;
}
