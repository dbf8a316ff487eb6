/* model/decomposition_save.c - a decomposition as bytes, and back. */
#include "model/decomposition_state.h"

#include <math.h>

void decomposition_save(const struct decomposition *d, struct pack *p) {
    const double head[] = {d->span_s, d->decay, d->lowest, d->noise,
                           d->rough,  d->last,  d->values, d->changed_s};
    for (size_t i = 0; i < sizeof head / sizeof *head; i++)
        pack_f64(p, head[i]);
    pack_u8(p, d->trending);
    pack_u8(p, d->seasons);
    for (size_t i = 0; i < d->seasons; i++)
        component_save(d->season[i], p);
    trend_save(&d->trend, p);
    for (size_t i = 0; i < DECOMPOSITION_WINDOWS; i++)
        season_window_save(&d->window[i], p);
    change_save(&d->change, p);
    calendar_save(&d->calendar, p);
}

static enum status damaged(struct error *err) {
    return fail(err, STATUS_INVALID, "a decomposition's bytes are damaged");
}

static enum status out_of_memory(struct error *err) {
    return fail(err, STATUS_NO_MEMORY, "no memory for a decomposition");
}

static enum status load_seasons(struct decomposition *d, size_t count, struct unpack *u,
                                struct error *err) {
    if (count > SEASON_SET) return damaged(err);
    while (d->seasons < count) {
        enum component_loaded loaded = component_load(u, &d->season[d->seasons]);
        if (loaded == COMPONENT_NO_MEMORY) return out_of_memory(err);
        if (loaded != COMPONENT_LOADED) return damaged(err);
        d->seasons++;
    }
    return STATUS_OK;
}

static enum status load_windows(struct decomposition *d, struct unpack *u, struct error *err) {
    for (size_t i = 0; i < DECOMPOSITION_WINDOWS; i++) {
        enum season_window_loaded loaded = season_window_load(&d->window[i], u);
        if (loaded == SEASON_WINDOW_NO_MEMORY) return out_of_memory(err);
        if (loaded != SEASON_WINDOW_LOADED) return damaged(err);
    }
    return STATUS_OK;
}

// Everything after the bucket span, into a fresh one.
static enum status load(struct decomposition *d, struct unpack *u, struct error *err) {
    double *head[] = {&d->decay, &d->lowest, &d->noise,    &d->rough,
                      &d->last,  &d->values, &d->changed_s};
    for (size_t i = 0; i < sizeof head / sizeof *head; i++)
        *head[i] = unpack_f64(u);
    d->trending = unpack_u8(u) != 0;
    size_t seasons = unpack_u8(u);
    if (u->failed || !(d->decay > 0) || !(d->values >= 0) || !(d->noise >= 0))
        return damaged(err);
    enum status status = load_seasons(d, seasons, u, err);
    if (status != STATUS_OK) return status;
    if (!trend_load(&d->trend, u)) return damaged(err);
    status = load_windows(d, u, err);
    if (status != STATUS_OK) return status;
    if (!change_load(&d->change, u)) return damaged(err);
    enum calendar_loaded loaded = calendar_load(&d->calendar, u);
    if (loaded == CALENDAR_NO_MEMORY) return out_of_memory(err);
    return loaded == CALENDAR_LOADED ? STATUS_OK : damaged(err);
}

enum status decomposition_load(struct unpack *u, struct decomposition **out,
                               struct error *err) {
    *out = NULL;
    double span = unpack_f64(u);
    if (u->failed || !(span >= 1 && span <= 1e9)) return damaged(err);
    struct decomposition *d = decomposition_new((int64_t)span);
    if (!d) return out_of_memory(err);
    enum status status = load(d, u, err);
    if (status != STATUS_OK)
        decomposition_free(d);
    else
        *out = d;
    return status;
}
