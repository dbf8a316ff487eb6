/* model/season.h - when something repeats: every day, every week, on each day of the weekends.
 * Plain arithmetic on seconds since 1970, whose first day was a Thursday. */
#ifndef BLIP_MODEL_SEASON_H
#define BLIP_MODEL_SEASON_H

#include <stdbool.h>
#include <stddef.h>

#define SEASON_DAY_S 86400.0
#define SEASON_WEEK_S 604800.0
#define SEASON_YEAR_S 31536000.0

/* Repeats every period_s, in [start_s, start_s + length_s) of every repeat_s seconds; always
 * when length_s = repeat_s. start_s is also where the period begins. */
struct season {
    double period_s;
    double repeat_s, start_s, length_s;
};

/* One that is always at work. */
struct season season_of(double period_s);

/* The days of a part of the week, which starts start_s after Thursday 0:00. */
struct season season_of_days(double start_s, double length_s);

bool season_windowed(const struct season *s);
bool season_same(const struct season *a, const struct season *b);  // shifts aside

/* How far it counts at a time, in [0, 1]: ramps of four hours join weekdays to weekends. */
double season_share(const struct season *s, double time_s);

/* Where a time lies in the period, in [0, 1). */
double season_phase(const struct season *s, double time_s);

#define SEASON_NAME_SIZE 48

/* The name in annotations: "1 day (weekdays)", "1 week", "7 hours". Returns name.
 *   name  [SEASON_NAME_SIZE] */
const char *season_name(const struct season *s, char *name);

#endif
