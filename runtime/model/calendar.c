/* model/calendar.c - see calendar.h. */
#include "model/calendar.h"

#include "model/special.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S 86400.0
#define HALF_S 43200.0
#define HOUR_S 3600.0
#define MONTH_HALVES 60.0  // between tests
#define LARGE_SHARE 0.015  // of errors that are large
#define LARGE_START 2.5    // deviations
#define LARGE_STEP 0.02    // by which the percentile follows
#define MARK_CHANCE 0.02   // a day is marked when chance gives so many large errors less often
#define REPEATS 4          // marked days of a kind, at least
#define MOST_OF 0.8        // of the days of that kind
#define CHANCE (0.01 / 396)  // for 132 kinds in 3 zones
#define LONGEST_MEMORY 64.0  // values that a profile's hour remembers
#define FARTHEST_DAY 1e8     // from 1970: beyond, there is no calendar

// A feature's code: day of month 0..30, days before its end 31..61, nth weekday 62..96, nth
// last weekday 97..131 (n * 7 + weekday, Sunday first).
enum { BEFORE_END = 31, NTH = 62, NTH_LAST = 97, CODES = 132, PER_DAY = 4 };

void calendar_open(struct calendar *c, double bucket_span_s) {
    *c = (struct calendar){.span_s = bucket_span_s, .large_sigmas = LARGE_START, .newest = -1};
}

void calendar_close(struct calendar *c) {
    for (size_t i = 0; i < c->parts; i++)
        free(c->part[i]);
    c->parts = 0;
}

// --- dates -----------------------------------------------------------------------------------

static int days_of_month(int64_t year, int month) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && leap ? 29 : days[month - 1];
}

// The four codes of a day, counted from 1970. (Hinnant, "chrono-compatible low-level date
// algorithms", 2013: years begin in March, eras have 400 of them.)
static void codes_of(int64_t day, uint8_t codes[PER_DAY]) {
    int64_t z = day + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t of_era = z - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t from_march = (5 * of_year + 2) / 153;
    int date = (int)(of_year - (153 * from_march + 2) / 5);  // from 0
    int month = (int)(from_march < 10 ? from_march + 3 : from_march - 9);
    int left = days_of_month(year + era * 400 + (month <= 2), month) - 1 - date;
    int weekday = (int)(((day + 4) % 7 + 7) % 7);
    codes[0] = (uint8_t)date;
    codes[1] = (uint8_t)(BEFORE_END + left);
    codes[2] = (uint8_t)(NTH + date / 7 * 7 + weekday);
    codes[3] = (uint8_t)(NTH_LAST + left / 7 * 7 + weekday);
}

static bool falls_on(const struct calendar_feature *f, double time_s) {
    double day = floor((time_s + f->zone * HALF_S) / DAY_S);
    if (!(fabs(day) < FARTHEST_DAY)) return false;
    uint8_t codes[PER_DAY];
    codes_of((int64_t)day, codes);
    return memchr(codes, f->code, sizeof codes) != NULL;
}

static const char *ordinal(int n) {
    return n % 10 == 1 && n != 11   ? "st"
           : n % 10 == 2 && n != 12 ? "nd"
           : n % 10 == 3 && n != 13 ? "rd"
                                    : "th";
}

const char *calendar_name(const struct calendar_feature *f, char *name) {
    static const char *const weekdays[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                           "Thursday", "Friday", "Saturday"};
    size_t size = CALENDAR_NAME_SIZE;
    int code = f->code;
    if (code < BEFORE_END) {
        snprintf(name, size, "%d%s day of month", code + 1, ordinal(code + 1));
    } else if (code < NTH) {
        int days = code - BEFORE_END;
        if (days == 0)
            snprintf(name, size, "last day of month");
        else
            snprintf(name, size, "%d day%s before month end", days, days == 1 ? "" : "s");
    } else {
        bool last = code >= NTH_LAST;
        int n = (code - (last ? NTH_LAST : NTH)) / 7 + 1;
        const char *weekday = weekdays[(code - (last ? NTH_LAST : NTH)) % 7];
        if (last && n == 1)
            snprintf(name, size, "last %s of month", weekday);
        else
            snprintf(name, size, "%d%s %s%s of month", n, ordinal(n), last ? "last " : "",
                     weekday);
    }
    return name;
}

// --- values ----------------------------------------------------------------------------------

static size_t hour_of(double time_s) {
    double hours = floor(time_s / HOUR_S);
    return (size_t)(hours - floor(hours / CALENDAR_HOURS) * CALENDAR_HOURS);
}

double calendar_value(const struct calendar *c, double time_s) {
    double sum = 0;
    for (size_t i = 0; i < c->parts; i++)
        if (falls_on(&c->part[i]->feature, time_s))
            sum += (double)c->part[i]->value[hour_of(time_s)];
    return sum;
}

static void advance(struct calendar *c, double half) {
    if (c->newest < 0) c->first = c->tested = half;
    double from = fmax(c->newest + 1, half - CALENDAR_HALVES + 1);
    for (double n = from; n <= half; n++)
        c->large[(size_t)fmod(n, CALENDAR_HALVES)] = 0;
    c->newest = half;
}

static void learn_hour(struct calendar_part *p, size_t hour, double error, double weight) {
    double w = fmin((double)p->weight[hour], LONGEST_MEMORY) + weight;
    p->weight[hour] = (float)w;
    p->value[hour] += (float)(error * weight / w);
}

void calendar_learn(struct calendar *c, double time_s, double error, double sigmas,
                    double weight) {
    double half = floor(time_s / HALF_S);
    if (half < 0 || half / 2 > FARTHEST_DAY || c->span_s > DAY_S) return;
    if (half > c->newest) advance(c, half);
    bool large = sigmas > c->large_sigmas;
    c->large_sigmas = fmax(c->large_sigmas + LARGE_STEP * (large - LARGE_SHARE), 1);
    uint8_t *count = &c->large[(size_t)fmod(half, CALENDAR_HALVES)];
    if (large && half > c->newest - CALENDAR_HALVES && *count < UINT8_MAX) ++*count;
    // A bucket longer than an hour teaches all of its hours.
    double width_s = fmax(c->span_s, HOUR_S), first_s = time_s - width_s / 2 + HOUR_S / 2;
    for (size_t i = 0; i < c->parts; i++)
        if (falls_on(&c->part[i]->feature, time_s))
            for (double at = 0; at < width_s; at += HOUR_S)
                learn_hour(c->part[i], hour_of(first_s + at), error, weight);
}

// --- the test --------------------------------------------------------------------------------

// The fewest large errors that mark a day.
static int mark_of(const struct calendar *c) {
    double n = fmax(floor(DAY_S / c->span_s), 1);
    int k = 1;
    while (k < n && special_beta_below(k, n - k + 1, LARGE_SHARE) > MARK_CHANCE)
        k++;
    return k;
}

struct tally {
    int days[CODES], marked[CODES];
    int all, all_marked;
};

static int large_on(const struct calendar *c, double half) {
    if (half < c->first || half > c->newest) return 0;
    return c->large[(size_t)fmod(half, CALENDAR_HALVES)];
}

// Whole days of one zone, by kind.
static void count_days(const struct calendar *c, int zone, int mark, struct tally *t) {
    *t = (struct tally){0};
    double oldest = fmax(c->first, c->newest - CALENDAR_HALVES + 1);
    for (double day = ceil(oldest / 2) + 1; 2 * day + 1 < c->newest; day++) {
        double half = 2 * day - zone;
        bool marked = large_on(c, half) + large_on(c, half + 1) >= mark;
        uint8_t codes[PER_DAY];
        codes_of((int64_t)day, codes);
        t->all++;
        t->all_marked += marked;
        for (size_t i = 0; i < PER_DAY; i++) {
            t->days[codes[i]]++;
            t->marked[codes[i]] += marked;
        }
    }
}

// The chance that as many days of a kind are marked as if they were like the others.
static double chance_of(const struct tally *t, size_t code) {
    int days = t->days[code], marked = t->marked[code];
    if (marked < REPEATS || marked < MOST_OF * days) return 1;
    double others = fmax(t->all - days, 1), rate = fmax(t->all_marked - marked, 1) / others;
    return rate < 1 ? special_beta_below(marked, days - marked + 1, rate) : 1;
}

static bool at_work(const struct calendar *c, const struct calendar_feature *f) {
    for (size_t i = 0; i < c->parts; i++)
        if (c->part[i]->feature.code == f->code) return true;
    return false;
}

// What a feature explains is no evidence for another, in this zone or in one beside it.
static void explain(struct calendar *c, const struct calendar_feature *f) {
    for (double half = fmax(c->first, c->newest - CALENDAR_HALVES + 1); half <= c->newest;
         half++)
        if (falls_on(f, (half + 0.5) * HALF_S))
            c->large[(size_t)fmod(half, CALENDAR_HALVES)] = 0;
}

bool calendar_test(struct calendar *c, double time_s, struct calendar_feature *found) {
    double half = floor(time_s / HALF_S);
    if (c->newest < 0 || half < c->tested + MONTH_HALVES || c->parts == CALENDAR_PARTS)
        return false;
    c->tested = half;
    double best = CHANCE;
    int mark = mark_of(c);
    static const int8_t zones[] = {0, -1, 1};  // the plain one wins when all tell the same
    for (size_t z = 0; z < 3; z++) {
        struct tally t;
        count_days(c, zones[z], mark, &t);
        for (size_t code = 0; code < CODES; code++) {
            struct calendar_feature f = {(uint8_t)code, zones[z]};
            double chance = chance_of(&t, code);
            if (chance < best && !at_work(c, &f)) best = chance, *found = f;
        }
    }
    if (best >= CHANCE) return false;
    struct calendar_part *part = calloc(1, sizeof *part);
    if (!part) return false;
    part->feature = *found;
    c->part[c->parts++] = part;
    explain(c, found);
    return true;
}

// --- saving ----------------------------------------------------------------------------------

size_t calendar_bytes(const struct calendar *c) { return c->parts * sizeof *c->part[0]; }

void calendar_save(const struct calendar *c, struct pack *p) {
    const double head[] = {c->large_sigmas, c->newest, c->first, c->tested};
    for (size_t i = 0; i < sizeof head / sizeof *head; i++)
        pack_f64(p, head[i]);
    pack_bytes(p, c->large, sizeof c->large);
    pack_u8(p, c->parts);
    for (size_t i = 0; i < c->parts; i++) {
        pack_u8(p, c->part[i]->feature.code);
        pack_u8(p, (uint8_t)c->part[i]->feature.zone);
        pack_bytes(p, c->part[i]->value, sizeof c->part[i]->value);
        pack_bytes(p, c->part[i]->weight, sizeof c->part[i]->weight);
    }
}

static bool load_part(struct calendar_part *part, struct unpack *u) {
    part->feature.code = unpack_u8(u);
    part->feature.zone = (int8_t)unpack_u8(u);
    unpack_bytes(u, part->value, sizeof part->value);
    unpack_bytes(u, part->weight, sizeof part->weight);
    for (size_t i = 0; i < CALENDAR_HOURS; i++)
        if (!isfinite(part->value[i]) || !(part->weight[i] >= 0)) return false;
    return !u->failed && part->feature.code < CODES && abs(part->feature.zone) <= 1;
}

enum calendar_loaded calendar_load(struct calendar *c, struct unpack *u) {
    double *head[] = {&c->large_sigmas, &c->newest, &c->first, &c->tested};
    for (size_t i = 0; i < sizeof head / sizeof *head; i++)
        *head[i] = unpack_f64(u);
    unpack_bytes(u, c->large, sizeof c->large);
    size_t parts = unpack_u8(u);
    double farthest = 2 * FARTHEST_DAY + 1;
    if (u->failed || parts > CALENDAR_PARTS || !(c->large_sigmas >= 1) ||
        !(c->newest >= -1 && c->newest <= farthest) ||
        !(c->first >= 0 && c->first <= farthest) || !isfinite(c->tested))
        return CALENDAR_DAMAGED;
    while (c->parts < parts) {
        struct calendar_part *part = calloc(1, sizeof *part);
        if (!part) return CALENDAR_NO_MEMORY;
        c->part[c->parts++] = part;
        if (!load_part(part, u)) return CALENDAR_DAMAGED;
    }
    return CALENDAR_LOADED;
}
