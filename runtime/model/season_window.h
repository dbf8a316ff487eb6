/* model/season_window.h - the past that is tested for seasons: means over equal steps of time.
 *
 *     |5 min x 336 = 28 h| tested, merged
 *     |15 min x 336 = 3.5 days| tested, merged |1 h x 336 ...
 *
 * Steps grow each time the window is full, so one small array sees a day, then a week, then a
 * month; after the longest it begins anew. Six bytes a step; the array grows with its content.
 * Source: elastic-model specification, 5.3. */
#ifndef BLIP_MODEL_SEASON_WINDOW_H
#define BLIP_MODEL_SEASON_WINDOW_H

#include "model/pack.h"
#include "model/season_test.h"
#include "model/slot.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum season_window_kind { SEASON_WINDOW_SHORT, SEASON_WINDOW_LONG };

/* Held by value; plain data but for the slots. */
struct season_window {
    const struct season_ladder *ladder;
    double start_s;   // of slot 0; infinite before the first value
    double step_s;    // of one slot
    double span_s;    // of the series' buckets
    uint16_t rung;    // which of the ladder's steps
    uint16_t tested;  // bits: tests at fixed ages that are done
    uint16_t count;   // slots in use
    uint16_t room;    // slots allocated
    struct slot *slots;
};

/* Leaves it without memory. A bucket span may have no window of a kind: it is then never due.
 */
void season_window_open(struct season_window *w, enum season_window_kind kind,
                        double bucket_span_s);
void season_window_close(struct season_window *w);

/* Whether a test is due before a value of this time is added; says so once. */
bool season_window_due(struct season_window *w, double time_s);

/* Makes room for a value of this time: merges steps, or begins anew. */
void season_window_advance(struct season_window *w, double time_s);

/* Adds a value.
 *   weight  how far it is believed, in (0, 1]
 * Returns false when memory ran out: the value is then left out. */
bool season_window_add(struct season_window *w, double time_s, double value, double weight);

/* As if the values before a time had been larger by so much. */
void season_window_lift(struct season_window *w, double before_s, double amount);

/* Forgets its content; the next value begins anew. */
void season_window_clear(struct season_window *w);

/* The content as a series to be tested. Steps without a value have weight 0. */
void season_window_read(const struct season_window *w, struct season_series *out);

/* Only periods longer than this are looked for here. */
double season_window_shortest(const struct season_window *w);

size_t season_window_bytes(const struct season_window *w);  // of the slots
void season_window_save(const struct season_window *w, struct pack *p);

/* Into one that was opened with the same kind and span. */
enum season_window_loaded {
    SEASON_WINDOW_LOADED,
    SEASON_WINDOW_DAMAGED,
    SEASON_WINDOW_NO_MEMORY
};
enum season_window_loaded season_window_load(struct season_window *w, struct unpack *u);

#endif
