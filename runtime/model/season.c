/* model/season.c - see season.h. */
#include "model/season.h"

#include <math.h>
#include <stdio.h>

#define RAMP_S 14400.0

struct season season_of(double period_s) {
    return (struct season){period_s, period_s, 0, period_s};
}

struct season season_of_days(double start_s, double length_s) {
    return (struct season){SEASON_DAY_S, SEASON_WEEK_S, start_s, length_s};
}

bool season_windowed(const struct season *s) { return s->length_s < s->repeat_s; }

bool season_same(const struct season *a, const struct season *b) {
    return fabs(a->period_s - b->period_s) < 0.02 * b->period_s && a->length_s == b->length_s &&
           season_windowed(a) == season_windowed(b);
}

static double clamp01(double x) { return x < 0 ? 0 : x > 1 ? 1 : x; }

double season_share(const struct season *s, double time_s) {
    if (!season_windowed(s)) return 1;
    double at = time_s - s->start_s + RAMP_S / 2;
    at -= floor(at / s->repeat_s) * s->repeat_s;
    return clamp01(at / RAMP_S) - clamp01((at - s->length_s) / RAMP_S);
}

double season_phase(const struct season *s, double time_s) {
    double periods = (time_s - s->start_s) / s->period_s;
    double phase = periods - floor(periods);
    return phase < 1 ? phase : 0;
}

// The largest unit in which the period is whole, or nearly.
static void duration(double seconds, char *text, size_t size) {
    static const struct {
        double seconds;
        const char *name;
    } unit[] = {{SEASON_YEAR_S, "year"}, {SEASON_WEEK_S, "week"}, {SEASON_DAY_S, "day"},
                {3600, "hour"},          {60, "minute"},          {1, "second"}};
    size_t i = 0;
    while (i < 5 && fabs(seconds / unit[i].seconds - round(seconds / unit[i].seconds)) *
                            unit[i].seconds >
                        0.005 * seconds)
        i++;
    double count = round(seconds / unit[i].seconds);
    snprintf(text, size, "%.0f %s%s", count, unit[i].name, count == 1 ? "" : "s");
}

const char *season_name(const struct season *s, char *name) {
    char period[32];
    duration(s->period_s, period, sizeof period);
    const char *part = "";
    if (season_windowed(s)) part = s->length_s < s->repeat_s / 2 ? " (weekend)" : " (weekdays)";
    snprintf(name, SEASON_NAME_SIZE, "%s%s", period, part);
    return name;
}
