#include "model/profile.h"
#include <math.h>

#define SLOT_MS (1800 * INT64_C(1000))
#define DAY_MS (PROFILE_CELLS * SLOT_MS)
#define TOLERANCE 2     // cells before and after
#define SPREAD_FROM 48  // rows before the spread is known
#define SPREAD_RATE 0.003
#define SPREAD_CLIP 6.0  // in spreads, when the spread learns
#define CLIP 8.0         // in spreads, when a cell learns
#define SLOWEST 0.1      // a cell's smallest rate

// Division that rounds down, and what it leaves, for times before 1970. The remainder is not
// a - b * quotient: that product overflows next to INT64_MIN.
static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }
static int64_t floor_mod(int64_t a, int64_t b) { return a % b + (a % b < 0 ? b : 0); }

struct profile_cell profile_cell_at(int64_t time_ms) {
    int64_t day = floor_div(time_ms, DAY_MS);
    int64_t weekday = floor_mod(day + 3, 7);  // 0 = Monday; 1970 began on a Thursday
    int64_t slot = floor_mod(time_ms, DAY_MS) / SLOT_MS;
    return (struct profile_cell){weekday >= 5, (size_t)slot};
}

// Distance to the own cell; to the one of the other kind of day if it was never visited.
static double own_residual(const struct profile *p, struct profile_cell cell, double value) {
    if (p->visits[cell.kind][cell.slot] > 0) return value - p->usual[cell.kind][cell.slot];
    size_t other = 1 - cell.kind;
    return p->visits[other][cell.slot] > 0 ? value - p->usual[other][cell.slot] : 0;
}

double profile_residual(const struct profile *p, struct profile_cell cell, double value) {
    if (p->visits[cell.kind][cell.slot] == 0) return own_residual(p, cell, value);
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i <= 2 * TOLERANCE; i++) {
        size_t slot = (cell.slot + PROFILE_CELLS - TOLERANCE + i) % PROFILE_CELLS;
        if (p->visits[cell.kind][slot] == 0) continue;
        low = fmin(low, p->usual[cell.kind][slot]);
        high = fmax(high, p->usual[cell.kind][slot]);
    }
    return value > high ? value - high : value < low ? value - low : 0;
}

static double clip(double x, double limit) { return fmax(-limit, fmin(limit, x)); }

static void learn_spread(struct profile *p, double residual, uint64_t rows) {
    double size = fabs(residual);
    if (p->spread > 0)
        p->spread += SPREAD_RATE * (fmin(size, SPREAD_CLIP * p->spread) - p->spread);
    else if (rows > SPREAD_FROM)
        p->spread = size + 1e-9;
}

void profile_learn(struct profile *p, struct profile_cell cell, double value, uint64_t rows) {
    double residual = own_residual(p, cell, value);
    double *usual = &p->usual[cell.kind][cell.slot];
    double *visits = &p->visits[cell.kind][cell.slot];
    double step = p->spread > 0 ? clip(residual, CLIP * p->spread) : residual;
    if (*visits == 0)
        *usual = value;
    else
        *usual += step * fmax(SLOWEST, 1 / (*visits + 1));
    *visits += 1;
    learn_spread(p, residual, rows);
}
