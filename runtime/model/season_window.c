/* model/season_window.c - see season_window.h. */
#include "model/season_window.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RUNGS 8
#define AGES 3
#define FIRST_ROOM 42
#define DAY SEASON_DAY_S
#define WEEK SEASON_WEEK_S

// How one window climbs for bucket spans up to `span_s`. A step of 0 is the bucket span itself;
// steps below the span are passed over.
struct season_ladder {
    double span_s;
    size_t slots;
    double step_s[RUNGS];  // ends with a 0 that is not the first
    double also_s[AGES];   // ages of the window at which it is tested though not full
    double shortest_s;     // only longer periods are looked for
};

static const struct season_ladder shorts[] = {
    {30, 180, {1, 5, 10, 30, 60, 300, 600}, {0}, 0},
    {60, 336, {60, 300, 900, 3600, 7200}, {3 * WEEK}, 0},
    {300, 336, {300, 900, 3600, 7200}, {3 * WEEK}, 0},
    {900, 336, {0, 3600, 7200}, {3 * WEEK}, 0},
    {1800, 336, {0, 3600, 7200}, {3 * DAY, 3 * WEEK}, 0},
    {3600, 336, {3600, 7200}, {3 * DAY, WEEK, 3 * WEEK}, 0},
    {7200, 336, {7200, 14400}, {3 * DAY, WEEK, 3 * WEEK}, 0},
    {14400, 336, {0}, {WEEK, 3 * WEEK}, 0},
    {21600, 224, {0}, {WEEK, 3 * WEEK}, 0},
    {28800, 168, {0}, {3 * WEEK}, 0},
    {43200, 112, {0}, {4 * WEEK}, 0},
    {WEEK, 56, {0}, {0}, 0},
};

static const struct season_ladder longs[] = {
    {59, 336, {900, 3600, 7200}, {3 * WEEK}, 30600},
    {WEEK, 156, {43200, DAY, WEEK}, {104 * WEEK}, 648000},
};

static const struct season_ladder *ladder_of(enum season_window_kind kind, double span_s) {
    const struct season_ladder *list = kind == SEASON_WINDOW_SHORT ? shorts : longs;
    size_t count = kind == SEASON_WINDOW_SHORT ? sizeof shorts / sizeof *shorts
                                               : sizeof longs / sizeof *longs;
    for (size_t i = 0; i < count; i++)
        if (span_s <= list[i].span_s) return &list[i];
    return NULL;
}

static double step_at(const struct season_window *w, size_t rung) {
    double step = w->ladder->step_s[rung];
    return step > w->span_s ? step : w->span_s;
}

static bool has_rung(const struct season_window *w, size_t rung) {
    return rung < RUNGS && (rung == 0 || w->ladder->step_s[rung] > 0);
}

// The first rung whose step is not below the bucket span.
static uint16_t first_rung(const struct season_window *w) {
    uint16_t rung = 0;
    while (has_rung(w, rung + 1u) && w->ladder->step_s[rung] > 0 &&
           w->ladder->step_s[rung + 1] <= w->span_s)
        rung++;
    return rung;
}

void season_window_open(struct season_window *w, enum season_window_kind kind,
                        double bucket_span_s) {
    *w = (struct season_window){.span_s = bucket_span_s, .start_s = INFINITY};
    w->ladder = ladder_of(kind, bucket_span_s);
    if (!w->ladder) return;
    w->rung = first_rung(w);
    w->step_s = step_at(w, w->rung);
}

void season_window_close(struct season_window *w) {
    free(w->slots);
    w->slots = NULL;
    w->room = w->count = 0;
}

double season_window_shortest(const struct season_window *w) {
    return w->ladder ? w->ladder->shortest_s : 0;
}

static bool full(const struct season_window *w, double time_s) {
    return time_s >= w->start_s + (double)w->ladder->slots * w->step_s;
}

bool season_window_due(struct season_window *w, double time_s) {
    if (!w->ladder || w->count == 0) return false;
    bool due = full(w, time_s);
    for (size_t i = 0; i < AGES; i++) {
        double age = w->ladder->also_s[i];
        uint16_t bit = (uint16_t)(1u << i);
        if (age <= 0 || (w->tested & bit) || time_s < w->start_s + age) continue;
        w->tested |= bit;
        due = true;
    }
    return due;
}

// --- slots -----------------------------------------------------------------------------------

static void begin(struct season_window *w, double time_s) {
    w->rung = first_rung(w);
    w->step_s = step_at(w, w->rung);
    w->start_s = floor(time_s / w->span_s) * w->span_s;
    w->tested = w->count = 0;
}

// Merges the slots into longer ones, in place: a slot never moves up.
static void climb(struct season_window *w) {
    double old_s = w->step_s;
    w->rung++;
    w->step_s = step_at(w, w->rung);
    size_t used = 0;
    for (size_t i = 0; i < w->count; i++) {
        struct slot slot = w->slots[i];
        size_t to = (size_t)(((double)i + 0.5) * old_s / w->step_s);
        for (; used <= to; used++)
            w->slots[used] = (struct slot){{0}, 0};
        if (slot.weight) slot_add(&w->slots[to], slot_mean(&slot), slot.weight);
    }
    w->count = (uint16_t)used;
}

void season_window_advance(struct season_window *w, double time_s) {
    if (!w->ladder) return;
    if (w->start_s > time_s) begin(w, time_s);  // the first value, or the clock was set back
    while (full(w, time_s) && has_rung(w, w->rung + 1u))
        climb(w);
    if (full(w, time_s)) begin(w, time_s);
}

static bool reserve(struct season_window *w, size_t slots) {
    if (slots <= w->room) return true;
    size_t room = w->room ? w->room : FIRST_ROOM;
    while (room < slots)
        room *= 2;
    if (room > w->ladder->slots) room = w->ladder->slots;
    struct slot *grown = realloc(w->slots, room * sizeof *grown);
    if (!grown) return false;
    w->slots = grown;
    w->room = (uint16_t)room;
    return true;
}

bool season_window_add(struct season_window *w, double time_s, double value, double weight) {
    if (!w->ladder || time_s < w->start_s) return true;
    size_t at = (size_t)((time_s - w->start_s) / w->step_s);
    if (at >= w->ladder->slots) return true;
    if (!reserve(w, at + 1)) return false;
    while (w->count <= at)
        w->slots[w->count++] = (struct slot){{0}, 0};
    slot_add(&w->slots[at], value, fmax(round(weight * SLOT_ONE), 1));
    return true;
}

void season_window_lift(struct season_window *w, double before_s, double amount) {
    for (size_t i = 0; i < w->count; i++) {
        struct slot old = w->slots[i];
        if (!old.weight || w->start_s + ((double)i + 1) * w->step_s > before_s) continue;
        w->slots[i].weight = 0;
        slot_add(&w->slots[i], slot_mean(&old) + amount, old.weight);
    }
}

void season_window_clear(struct season_window *w) {
    w->start_s = INFINITY;
    w->count = 0;
}

void season_window_read(const struct season_window *w, struct season_series *out) {
    out->start_s = w->start_s;
    out->step_s = w->step_s;
    out->count = w->count;
    double per_slot = SLOT_ONE * w->step_s / w->span_s;  // weight of one that misses nothing
    for (size_t i = 0; i < w->count; i++) {
        out->value[i] = w->slots[i].weight ? slot_mean(&w->slots[i]) : 0;
        out->weight[i] = fmin(w->slots[i].weight / fmin(per_slot, UINT16_MAX), 1);
    }
}

// --- saving ----------------------------------------------------------------------------------

size_t season_window_bytes(const struct season_window *w) { return w->room * sizeof *w->slots; }

void season_window_save(const struct season_window *w, struct pack *p) {
    pack_f64(p, w->start_s);
    pack_u16(p, w->rung);
    pack_u16(p, w->tested);
    pack_u16(p, w->count);
    for (size_t i = 0; i < w->count; i++)
        slot_save(&w->slots[i], p);
}

enum season_window_loaded season_window_load(struct season_window *w, struct unpack *u) {
    w->start_s = unpack_f64(u);
    w->rung = unpack_u16(u);
    w->tested = unpack_u16(u);
    size_t count = unpack_u16(u);
    size_t most = w->ladder ? w->ladder->slots : 0;
    if (u->failed || count > most || (most && !has_rung(w, w->rung)) || isnan(w->start_s))
        return SEASON_WINDOW_DAMAGED;
    if (!most) return SEASON_WINDOW_LOADED;
    w->step_s = step_at(w, w->rung);
    if (count && !reserve(w, count)) return SEASON_WINDOW_NO_MEMORY;
    w->count = (uint16_t)count;
    for (size_t i = 0; i < count; i++)
        if (!slot_load(&w->slots[i], u)) return SEASON_WINDOW_DAMAGED;
    return u->failed ? SEASON_WINDOW_DAMAGED : SEASON_WINDOW_LOADED;
}
