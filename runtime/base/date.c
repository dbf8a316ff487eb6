/* base/date.c - see date.h.
 *
 * Every alternative is a pattern, also the named ones. Letters as in Java's DateTimeFormatter:
 *     y u year   M L month (MMM: its English name)   d day   D day of the year   E weekday
 *     H k hour, k from 1 to 24   h K hour of half a day with a: AM PM   m minute   s second
 *     S fraction of exactly as many digits; S alone in the table below: 1 to 9 digits
 *     X x Z offset: Z, +hh, +hhmm or +hh:mm   z V O name of a zone: see zone.h
 *     'text'   [ optional part ]
 * A pattern that starts with @ is a count since 1970: @m milliseconds, @s seconds. */
#include "base/date.h"

#include "base/zone.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TIME_OF_DAY "HH[:mm[:ss[.S][,S]]]"

static const struct {
    const char *name, *pattern;
} named[] = {
    {"date_optional_time", "y[-M[-d['T'[" TIME_OF_DAY "][X]]]]"},
    {"strict_date_optional_time", "yyyy[-MM[-dd['T'[" TIME_OF_DAY "][X]]]]"},
    {"strict_date_optional_time_nanos", "yyyy[-MM[-dd['T'[" TIME_OF_DAY "][X]]]]"},
    {"epoch_millis", "@m"},
    {"epoch_second", "@s"},
    {"date", "y-M-d"},
    {"strict_date", "yyyy-MM-dd"},
    {"basic_date", "yyyyMMdd"},
    {"basic_date_time", "yyyyMMdd'T'HHmmss.SX"},
    {"basic_date_time_no_millis", "yyyyMMdd'T'HHmmssX"},
    {"date_time", "y-M-d'T'HH:mm:ss.SX"},
    {"strict_date_time", "yyyy-MM-dd'T'HH:mm:ss.SX"},
    {"date_time_no_millis", "y-M-d'T'HH:mm:ssX"},
    {"strict_date_time_no_millis", "yyyy-MM-dd'T'HH:mm:ssX"},
    {"date_hour", "y-M-d'T'HH"},
    {"strict_date_hour", "yyyy-MM-dd'T'HH"},
    {"date_hour_minute", "y-M-d'T'HH:mm"},
    {"strict_date_hour_minute", "yyyy-MM-dd'T'HH:mm"},
    {"date_hour_minute_second", "y-M-d'T'HH:mm:ss"},
    {"strict_date_hour_minute_second", "yyyy-MM-dd'T'HH:mm:ss"},
    {"date_hour_minute_second_millis", "y-M-d'T'HH:mm:ss.S"},
    {"strict_date_hour_minute_second_millis", "yyyy-MM-dd'T'HH:mm:ss.S"},
    {"date_hour_minute_second_fraction", "y-M-d'T'HH:mm:ss.S"},
    {"strict_date_hour_minute_second_fraction", "yyyy-MM-dd'T'HH:mm:ss.S"},
    {"ordinal_date", "y-D"},
    {"strict_ordinal_date", "yyyy-DDD"},
    {"year", "y"},
    {"strict_year", "yyyy"},
    {"year_month", "y-M"},
    {"strict_year_month", "yyyy-MM"},
    {"year_month_day", "y-M-d"},
    {"strict_year_month_day", "yyyy-MM-dd"},
};

struct date_format {
    size_t count;
    struct alternative {
        char *pattern;
        bool free_fraction;  // a single S takes 1 to 9 digits
    } alternatives[];
};

// --- compiling ----------------------------------------------------------------------------

static const char *find_named(const char *name, size_t size) {
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        if (strlen(named[i].name) == size && memcmp(named[i].name, name, size) == 0)
            return named[i].pattern;
    return NULL;
}

// Letters we read; brackets and quotes must close.
static enum status check_pattern(const char *pattern, size_t size, struct error *err) {
    int open = 0;
    bool quoted = false;
    for (size_t i = 0; i < size; i++) {
        char c = pattern[i];
        if (c == '\'') {
            quoted = !quoted;
        } else if (!quoted) {
            if (isalpha((unsigned char)c) && !strchr("yuMLdDEHkhKmsSaXxZzVO", c))
                return fail(err, STATUS_INVALID, "Unknown pattern letter: %c", c);
            open += (c == '[') - (c == ']');
            if (open < 0) break;
        }
    }
    if (quoted || open != 0)
        return fail(err, STATUS_INVALID, "Pattern is incomplete: %.*s", (int)size, pattern);
    return STATUS_OK;
}

static enum status add_alternative(struct date_format *f, const char *text, size_t size,
                                   struct error *err) {
    const char *pattern = find_named(text, size);
    if (!pattern) {
        enum status status = check_pattern(text, size, err);
        if (status != STATUS_OK) return status;
    }
    struct alternative *a = &f->alternatives[f->count];
    a->pattern = pattern ? strdup(pattern) : strndup(text, size);
    a->free_fraction = pattern != NULL;
    if (!a->pattern) return fail(err, STATUS_NO_MEMORY, "no memory for a date format");
    f->count++;
    return STATUS_OK;
}

enum status date_format_new(const char *text, size_t size, struct date_format **out,
                            struct error *err) {
    size_t most = 1;
    for (size_t i = 0; i + 1 < size; i++)
        most += text[i] == '|' && text[i + 1] == '|';
    struct date_format *f = calloc(1, sizeof *f + most * sizeof *f->alternatives);
    if (!f) return fail(err, STATUS_NO_MEMORY, "no memory for a date format");
    enum status status = STATUS_OK;
    for (const char *at = text, *end = text + size; status == STATUS_OK && at <= end;) {
        const char *bar = memmem(at, (size_t)(end - at), "||", 2);
        const char *stop = bar ? bar : end;
        status = add_alternative(f, at, (size_t)(stop - at), err);
        if (!bar) break;
        at = bar + 2;
    }
    if (status != STATUS_OK) {
        date_format_free(f);
        return status;
    }
    *out = f;
    return STATUS_OK;
}

void date_format_free(struct date_format *f) {
    if (!f) return;
    for (size_t i = 0; i < f->count; i++)
        free(f->alternatives[i].pattern);
    free(f);
}

// --- reading ------------------------------------------------------------------------------

struct moment {
    int year, month, day, day_of_year, hour, minute, second, millis, offset_minutes;
    bool half_day, afternoon;
    const char *zone;  // its name, instead of an offset; NULL
    size_t zone_size;
};

// Where reading stands; a failed optional part goes back to a copy.
struct scan {
    const char *at, *end;
    struct moment m;
    bool free_fraction;
};

// Days since 1970 of a date of the Gregorian calendar (Howard Hinnant, "chrono-compatible
// low-level date algorithms", 2013).
static int64_t days_from_date(int64_t year, int month, int day) {
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static int days_in_month(int year, int month) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

static bool moment_ms(const struct moment *m, int64_t *ms) {
    if (m->month < 1 || m->month > 12 || m->day < 1 ||
        m->day > days_in_month(m->year, m->month))
        return false;
    int hour = m->half_day ? m->hour % 12 + (m->afternoon ? 12 : 0) : m->hour;
    if (hour > 23 || m->minute > 59 || m->second > 59) return false;
    int64_t days = m->day_of_year ? days_from_date(m->year, 1, 1) + m->day_of_year - 1
                                  : days_from_date(m->year, m->month, m->day);
    int64_t wall_s = ((days * 24 + hour) * 60 + m->minute) * 60 + m->second;
    int offset_s = m->offset_minutes * 60;
    if (m->zone && !zone_offset_s(m->zone, m->zone_size, wall_s, &offset_s)) return false;
    *ms = (wall_s - offset_s) * 1000 + m->millis;
    return true;
}

static bool read_digits(struct scan *s, int least, int most, int *out) {
    int value = 0, count = 0;
    for (; count < most && s->at < s->end && isdigit((unsigned char)*s->at); count++)
        value = value * 10 + (*s->at++ - '0');
    *out = value;
    return count >= least;
}

static bool read_fraction(struct scan *s, int least, int most) {
    int scale = 100, count = 0;
    s->m.millis = 0;
    for (; count < most && s->at < s->end && isdigit((unsigned char)*s->at); count++) {
        s->m.millis += (*s->at++ - '0') * scale;
        scale /= 10;
    }
    return count >= least;
}

static bool read_offset(struct scan *s) {
    int hours, minutes = 0;
    s->m.offset_minutes = 0;
    if (s->at == s->end) return false;
    char sign = *s->at++;
    if (sign == 'Z' || sign == 'z') return true;
    if (sign != '+' && sign != '-') return false;
    if (!read_digits(s, 2, 2, &hours)) return false;
    if (s->at < s->end && *s->at == ':') s->at++;
    if (s->at < s->end && isdigit((unsigned char)*s->at) && !read_digits(s, 2, 2, &minutes))
        return false;
    if (hours > 18 || minutes > 59) return false;
    s->m.offset_minutes = (hours * 60 + minutes) * (sign == '-' ? -1 : 1);
    return true;
}

// Reads the name of a zone; whether there is one shows when the time is known.
static bool read_zone(struct scan *s) {
    s->m.zone = s->at;
    while (s->at < s->end && (isalnum((unsigned char)*s->at) || strchr("_+-/:", *s->at)))
        s->at++;
    s->m.zone_size = (size_t)(s->at - s->m.zone);
    return s->m.zone_size > 0;
}

// Reads one of a list of English names, long or cut to three letters; *out counts from 1.
static bool read_name(struct scan *s, const char *const *names, int count, int *out) {
    for (int i = 0; i < count; i++) {
        for (size_t size = strlen(names[i]);; size = 3) {
            if ((size_t)(s->end - s->at) >= size && strncasecmp(s->at, names[i], size) == 0) {
                s->at += size;
                *out = i + 1;
                return true;
            }
            if (size == 3) break;
        }
    }
    return false;
}

static bool read_letters(struct scan *s, char letter, int count) {
    static const char *const months[] = {"January",   "February", "March",    "April",
                                         "May",       "June",     "July",     "August",
                                         "September", "October",  "November", "December"};
    static const char *const weekdays[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                           "Friday", "Saturday", "Sunday"};
    static const char *const halves[] = {"AM", "PM"};
    int most = count > 2 ? count : 2, ignored;
    switch (letter) {
    case 'y':
    case 'u':
        if (count != 2) return read_digits(s, count, count == 1 ? 9 : count, &s->m.year);
        if (!read_digits(s, 2, 2, &s->m.year)) return false;
        s->m.year += 2000;
        return true;
    case 'M':
    case 'L':
        return count > 2 ? read_name(s, months, 12, &s->m.month)
                         : read_digits(s, count, most, &s->m.month);
    case 'd':
        return read_digits(s, count, most, &s->m.day);
    case 'D':
        return read_digits(s, count, 3, &s->m.day_of_year) && s->m.day_of_year <= 366;
    case 'E':
        return read_name(s, weekdays, 7, &ignored);
    case 'h':
    case 'K':
        s->m.half_day = true;
        return read_digits(s, count, most, &s->m.hour);
    case 'H':
        return read_digits(s, count, most, &s->m.hour);
    case 'k':
        if (!read_digits(s, count, most, &s->m.hour)) return false;
        if (s->m.hour == 24) s->m.hour = 0;
        return true;
    case 'm':
        return read_digits(s, count, most, &s->m.minute);
    case 's':
        return read_digits(s, count, most, &s->m.second);
    case 'S':
        return s->free_fraction ? read_fraction(s, 1, 9) : read_fraction(s, count, count);
    case 'a':
        if (!read_name(s, halves, 2, &ignored)) return false;
        s->m.afternoon = ignored == 2;
        return true;
    case 'z':
    case 'V':
    case 'O':
        return read_zone(s);
    default:
        return read_offset(s);
    }
}

// The ] that closes an optional part whose [ was just passed.
static const char *closing_bracket(const char *pattern) {
    for (int open = 1;; pattern++) {
        if (*pattern == '[') open++;
        if (*pattern == ']' && --open == 0) return pattern;
    }
}

// Matches a pattern up to its end, or to the ] of the optional part that it is.
static bool match(struct scan *s, const char *pattern) {
    while (*pattern && *pattern != ']') {
        char c = *pattern;
        if (c == '[') {
            struct scan before = *s;
            if (!match(s, pattern + 1)) *s = before;
            pattern = closing_bracket(pattern + 1) + 1;
        } else if (isalpha((unsigned char)c)) {
            int count = 1;
            while (pattern[count] == c)
                count++;
            if (!read_letters(s, c, count)) return false;
            pattern += count;
        } else if (c == '\'' && pattern[1] != '\'') {
            for (pattern++; *pattern != '\''; pattern++)
                if (s->at == s->end || *s->at++ != *pattern) return false;
            pattern++;
        } else {
            if (s->at == s->end || *s->at++ != c) return false;
            pattern += c == '\'' ? 2 : 1;
        }
    }
    return true;
}

static bool parse_count(const char *pattern, const char *text, size_t size, int64_t *ms) {
    char digits[32];
    if (size == 0 || size >= sizeof digits || isspace((unsigned char)*text)) return false;
    memcpy(digits, text, size);
    digits[size] = '\0';
    char *end;
    long long whole = strtoll(digits, &end, 10);
    if (end == digits) return false;
    bool seconds = pattern[1] == 's';
    if (llabs(whole) > (seconds ? 9000000000000 : 9000000000000000)) return false;
    *ms = seconds ? whole * 1000 : whole;
    if (*end != '.') return *end == '\0';
    char *fraction = end + 1;
    int scale = seconds ? 100 : 0;
    for (end++; isdigit((unsigned char)*end); end++, scale /= 10)
        *ms += (*digits == '-' ? -1 : 1) * (*end - '0') * scale;
    return *end == '\0' && end > fraction;
}

static bool parse_alternative(const struct alternative *a, const char *text, size_t size,
                              int64_t *ms) {
    if (*a->pattern == '@') return parse_count(a->pattern, text, size, ms);
    struct scan s = {.at = text,
                     .end = text + size,
                     .m = {.year = 1970, .month = 1, .day = 1},
                     .free_fraction = a->free_fraction};
    return match(&s, a->pattern) && s.at == s.end && moment_ms(&s.m, ms);
}

static int two_digits(const char *text) { return (text[0] - '0') * 10 + text[1] - '0'; }

// 2026-01-05T10:00:00Z and 2026-01-05T10:00:00.123Z, which nearly every document has.
static bool parse_common(const char *text, size_t size, int64_t *ms) {
    static const char shape[] = "0000-00-00T00:00:00.000Z";
    if (size != 24 && size != 20) return false;
    for (size_t i = 0; i < 19; i++)
        if (shape[i] == '0' ? !isdigit((unsigned char)text[i]) : text[i] != shape[i])
            return false;
    struct scan s = {.at = text + 20, .end = text + size - 1};
    if (text[size - 1] != 'Z') return false;
    if (size == 24 && (text[19] != '.' || !read_fraction(&s, 3, 3))) return false;
    s.m.year = two_digits(text) * 100 + two_digits(text + 2);
    s.m.month = two_digits(text + 5);
    s.m.day = two_digits(text + 8);
    s.m.hour = two_digits(text + 11);
    s.m.minute = two_digits(text + 14);
    s.m.second = two_digits(text + 17);
    return moment_ms(&s.m, ms);
}

bool date_parse(const struct date_format *f, const char *text, size_t size, int64_t *ms) {
    static const struct alternative usual[] = {
        {"yyyy[-MM[-dd['T'[" TIME_OF_DAY "][X]]]]", true}, {"@m", false}};
    const struct alternative *all = f ? f->alternatives : usual;
    size_t count = f ? f->count : 2;
    if (!f && parse_common(text, size, ms)) return true;
    for (size_t i = 0; i < count; i++)
        if (parse_alternative(&all[i], text, size, ms)) return true;
    return false;
}

bool date_detect(const char *text, size_t size, const char **format) {
    static const struct alternative iso = {"yyyy[-MM[-dd['T'[" TIME_OF_DAY "][X]]]]", true};
    static const struct alternative slashes = {"yyyy/MM/dd[ HH:mm:ss][ Z]", false};
    int64_t ms;
    *format = NULL;
    // A bare number such as a year is no date.
    if (size < 6 || size > 40 || !isdigit((unsigned char)*text)) return false;
    if (text[4] == '-')
        return parse_common(text, size, &ms) || parse_alternative(&iso, text, size, &ms);
    if (text[4] != '/' || !parse_alternative(&slashes, text, size, &ms)) return false;
    *format = "yyyy/MM/dd HH:mm:ss||yyyy/MM/dd||epoch_millis";
    return true;
}
