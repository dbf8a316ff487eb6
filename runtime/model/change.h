/* model/change.h - watches for a change that lasts: a new level, another size of the seasons, a
 * clock that was moved.
 * A change is suspected when most of the latest errors are large; it is then tested each hour
 * on the past four days, and dropped when it has not shown itself in time. Source:
 * elastic-model specification, 5.4 and 14.4; Hurvich & Tsai, "Regression and time series model
 * selection in small samples", 1989 (AICc). */
#ifndef BLIP_MODEL_CHANGE_H
#define BLIP_MODEL_CHANGE_H

#include "model/pack.h"
#include "model/slot.h"
#include <stdbool.h>
#include <stddef.h>

#define CHANGE_SLOTS 96
#define CHANGE_OFFSETS 25       // shifts of the clock that are tried
#define CHANGE_OFFSET_S 1800.0  // from -6 h to 6 h

/* Held by value; plain data. Times are seconds since 1970. */
struct change_watch {
    double step_s, span_s;           // of a slot; of the series' buckets
    double first_s;                  // of the first value; infinite before
    double newest;                   // number of the newest slot since 1970
    double large;                    // running share of large errors
    double suspected_s;              // since when; infinite = no suspicion
    double settled_s;                // when the last suspicion ended; -infinite before
    double tested;                   // number of the slot at which was tested last
    struct slot slot[CHANGE_SLOTS];  // slot n sits at n % slots
};

void change_open(struct change_watch *c, double bucket_span_s);

/* Adds a value.
 *   sigmas  the size of its error in standard deviations */
void change_add(struct change_watch *c, double time_s, double value, double sigmas);

/* How much values should count now: 0.1 under suspicion, 2 for a while after. */
double change_weight(const struct change_watch *c, double time_s);

/* Whether to test now; says so once per slot. Gives up a suspicion that is too old, and any of
 * a series with seasons that was not seen for two weeks yet: it may be a weekend. */
bool change_due(struct change_watch *c, double time_s, bool seasonal);

/* How long a change must have lasted, and ends the suspicion. */
double change_least_s(const struct change_watch *c);
void change_settle(struct change_watch *c, double time_s);

/* The past, to be tested. */
struct change_past {
    size_t count;
    double step_s;
    double time_s[CHANGE_SLOTS];
    double value[CHANGE_SLOTS];
    double level[CHANGE_SLOTS];                   // expected without seasons: by the caller
    double season[CHANGE_OFFSETS][CHANGE_SLOTS];  // by the caller, for each shift
};

/* Oldest first, empty slots left out. */
void change_read(const struct change_watch *c, struct change_past *out);

/* Seconds by which seasons come later in row i of season[][]. */
static inline double change_offset(size_t i) {
    return ((double)i - (CHANGE_OFFSETS - 1) / 2.0) * CHANGE_OFFSET_S;
}

enum change_kind { CHANGE_NONE, CHANGE_LEVEL, CHANGE_SCALE, CHANGE_TIME };

struct change {
    enum change_kind kind;
    double amount;  // to be added to the level; factor of the seasons; seconds later
    size_t since;   // the first slot of the past after it
};

/* Which change explains the past, if any.
 *   seasonal  whether there are seasons: else only the level can change
 *   sigma     of the errors of single values
 *   least_s   that it must have lasted */
struct change change_test(const struct change_past *past, bool seasonal, double sigma,
                          double least_s);

void change_save(const struct change_watch *c, struct pack *p);
bool change_load(struct change_watch *c, struct unpack *u);  // false: damaged

#endif
