/* model/change.c - see change.h: the watch. */
#include "model/change.h"

#include "model/season.h"

#define HOUR_S 3600.0
#define LEAST_S (30 * HOUR_S)
#define YOUNG_S (22 * SEASON_DAY_S)  // with seasons: a weekend is no change, the week is found
#define LEAST_SLOTS 5
#define SHORTEST_PAST (3 * SEASON_DAY_S)
#define WINDOW_S (4 * SEASON_DAY_S)
#define FEWEST_SLOTS 32.0
#define PATIENCE (5.0 / 3)     // of the least length; then a suspicion ends
#define FORGET_S (5 * HOUR_S)  // half of the errors count as large after 3.5 hours of them
#define FORGET_BUCKETS 5.0
#define LARGE_SIGMAS 3.0
#define SUSPICION 0.5
#define WEIGHT_SUSPECTED 0.1
#define WEIGHT_SETTLED 2.0

void change_open(struct change_watch *c, double bucket_span_s) {
    *c = (struct change_watch){.span_s = bucket_span_s,
                               .step_s = fmax(HOUR_S, bucket_span_s),
                               .first_s = INFINITY,
                               .suspected_s = INFINITY,
                               .settled_s = -INFINITY,
                               .newest = -1};
}

static size_t slots(const struct change_watch *c) {
    return (size_t)fmin(fmax(WINDOW_S / c->step_s, FEWEST_SLOTS), CHANGE_SLOTS);
}

static struct slot *slot_of(struct change_watch *c, double number) {
    double n = (double)slots(c);
    return &c->slot[(size_t)(number - floor(number / n) * n)];
}

static bool suspects(const struct change_watch *c) { return isfinite(c->suspected_s); }

// Empties the slots up to a new one; all of them after a gap.
static void advance(struct change_watch *c, double number) {
    double from = fmax(c->newest + 1, number - (double)slots(c) + 1);
    if (number < c->newest) from = number - (double)slots(c) + 1;  // the clock was set back
    for (double at = from; at <= number; at++)
        *slot_of(c, at) = (struct slot){{0}, 0};
    c->newest = number;
}

void change_add(struct change_watch *c, double time_s, double value, double sigmas) {
    if (isinf(c->first_s)) c->first_s = time_s;
    double number = floor(time_s / c->step_s);
    if (number != c->newest && number != c->newest - 1) advance(c, number);
    slot_add(slot_of(c, number), value, SLOT_ONE);
    double gain = 1 - exp(-c->span_s / fmax(FORGET_S, FORGET_BUCKETS * c->span_s));
    c->large += gain * ((sigmas > LARGE_SIGMAS) - c->large);
    if (!suspects(c) && c->large > SUSPICION && time_s >= c->first_s + SHORTEST_PAST)
        c->suspected_s = c->tested = time_s;
}

double change_least_s(const struct change_watch *c) {
    return fmax(LEAST_S, LEAST_SLOTS * c->step_s);
}

double change_weight(const struct change_watch *c, double time_s) {
    if (suspects(c)) return WEIGHT_SUSPECTED;
    return time_s < c->settled_s + change_least_s(c) ? WEIGHT_SETTLED : 1;
}

void change_settle(struct change_watch *c, double time_s) {
    c->large = 0;
    c->suspected_s = INFINITY;
    c->settled_s = time_s;
}

bool change_due(struct change_watch *c, double time_s, bool seasonal) {
    if (!suspects(c)) return false;
    if (seasonal && time_s < c->first_s + YOUNG_S) {
        c->suspected_s = INFINITY;
        return false;
    }
    if (time_s - c->suspected_s > PATIENCE * change_least_s(c)) {
        change_settle(c, time_s);
        return false;
    }
    if (time_s < c->tested + c->step_s) return false;
    c->tested = time_s;
    return true;
}

void change_read(const struct change_watch *c, struct change_past *out) {
    double n = (double)slots(c);
    out->count = 0;
    out->step_s = c->step_s;
    for (double number = c->newest - n + 1; number <= c->newest; number++) {
        const struct slot *s = &c->slot[(size_t)(number - floor(number / n) * n)];
        if (!s->weight) continue;
        out->time_s[out->count] = (number + 0.5) * c->step_s;
        out->value[out->count++] = slot_mean(s);
    }
}

void change_save(const struct change_watch *c, struct pack *p) {
    const double head[] = {c->first_s,     c->newest,    c->large,
                           c->suspected_s, c->settled_s, c->tested};
    for (size_t i = 0; i < sizeof head / sizeof *head; i++)
        pack_f64(p, head[i]);
    for (size_t i = 0; i < slots(c); i++)
        slot_save(&c->slot[i], p);
}

bool change_load(struct change_watch *c, struct unpack *u) {
    double *head[] = {&c->first_s,     &c->newest,    &c->large,
                      &c->suspected_s, &c->settled_s, &c->tested};
    for (size_t i = 0; i < sizeof head / sizeof *head; i++)
        *head[i] = unpack_f64(u);
    bool sound = isfinite(c->newest) && isfinite(c->large) && fabs(c->newest) < 1e15;
    for (size_t i = 0; i < slots(c); i++)
        sound &= slot_load(&c->slot[i], u);
    return sound && !u->failed;
}
