/* base/zone.c - see zone.h. */
#include "base/zone.h"

#include "base/map.h"
#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_SIZE 64
#define FILE_SIZE_MAX 65536  // the largest of the database has 4 KB
#define ZONES_MAX 1024       // kept in memory; the database has 600 names

struct zone {
    size_t count;
    int first_s;  // offset before the first change
    struct change {
        int64_t at_s;  // UTC
        int offset_s;  // from then on
    } changes[];
};

// --- names that no file has ------------------------------------------------------------------

static const struct {
    const char *name;
    int hours;
} fixed[] = {
    {"Z", 0},    {"UTC", 0},  {"GMT", 0},  {"UT", 0},   {"WEST", 1},  {"BST", 1},
    {"CEST", 2}, {"EEST", 3}, {"MSK", 3},  {"JST", 9},  {"EDT", -4},  {"CDT", -5},
    {"CST", -6}, {"MDT", -6}, {"PDT", -7}, {"PST", -8}, {"AKDT", -8}, {"AKST", -9},
};

static int number(const char **at, int most) {
    int value = 0;
    for (int i = 0; i < most && isdigit((unsigned char)**at); i++)
        value = value * 10 + *(*at)++ - '0';
    return value;
}

// "+8", "-08", "+0830", "+08:30" behind GMT, UTC or UT.
static bool read_shift(const char *at, int *offset_s) {
    int sign = *at == '-' ? -1 : 1;
    if (*at != '+' && *at != '-') return false;
    at++;
    if (!isdigit((unsigned char)*at)) return false;
    int hours = number(&at, 2);
    if (*at == ':') at++;
    int minutes = number(&at, 2);
    *offset_s = sign * (hours * 3600 + minutes * 60);
    return *at == '\0' && hours <= 18 && minutes < 60;
}

static bool fixed_offset(const char *name, int *offset_s) {
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        if (strcmp(fixed[i].name, name) == 0) {
            *offset_s = fixed[i].hours * 3600;
            return true;
        }
    if (strncmp(name, "GMT", 3) == 0 || strncmp(name, "UTC", 3) == 0)
        return read_shift(name + 3, offset_s);
    return strncmp(name, "UT", 2) == 0 && read_shift(name + 2, offset_s);
}

// --- files -----------------------------------------------------------------------------------

static int64_t big_endian(const unsigned char *at, size_t size) {
    uint64_t value = *at & 0x80 ? UINT64_MAX : 0;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | at[i];
    return (int64_t)value;
}

// A block's six counts, in the order of the file.
enum { UT_FLAGS, STANDARD_FLAGS, LEAPS, TIMES, TYPES, NAMES, COUNTS };
#define HEADER_SIZE 44

static bool read_header(const unsigned char *bytes, size_t size, size_t *counts) {
    if (size < HEADER_SIZE || memcmp(bytes, "TZif", 4) != 0) return false;
    for (size_t i = 0; i < COUNTS; i++) {
        int64_t count = big_endian(bytes + 20 + 4 * i, 4);
        if (count < 0 || count > FILE_SIZE_MAX) return false;
        counts[i] = (size_t)count;
    }
    return true;
}

static size_t block_size(const size_t *counts, size_t time_size) {
    return counts[TIMES] * (time_size + 1) + counts[TYPES] * 6 + counts[NAMES] +
           counts[LEAPS] * (time_size + 4) + counts[STANDARD_FLAGS] + counts[UT_FLAGS];
}

// The changes of the second block, whose times have 64 bits.
static struct zone *read_changes(const unsigned char *block, const size_t *counts) {
    const unsigned char *kinds = block + 8 * counts[TIMES];
    const unsigned char *types = kinds + counts[TIMES];
    struct zone *z = malloc(sizeof *z + counts[TIMES] * sizeof *z->changes);
    if (!z || counts[TYPES] == 0) {
        free(z);
        return NULL;
    }
    z->count = counts[TIMES];
    z->first_s = (int)big_endian(types, 4);
    for (size_t i = 0; i < z->count; i++) {
        size_t type = kinds[i] < counts[TYPES] ? kinds[i] : 0;
        z->changes[i].at_s = big_endian(block + 8 * i, 8);
        z->changes[i].offset_s = (int)big_endian(types + 6 * type, 4);
    }
    return z;
}

static struct zone *parse(const unsigned char *bytes, size_t size) {
    size_t counts[COUNTS];
    if (!read_header(bytes, size, counts) || bytes[4] < '2') return NULL;
    size_t first = HEADER_SIZE + block_size(counts, 4);
    if (first > size || !read_header(bytes + first, size - first, counts)) return NULL;
    if (block_size(counts, 8) > size - first - HEADER_SIZE) return NULL;
    return read_changes(bytes + first + HEADER_SIZE, counts);
}

// A name of the database and nothing that leads out of it.
static bool is_name(const char *name) {
    bool start = true;
    for (const char *at = name; *at; at++) {
        if (start && !isalpha((unsigned char)*at)) return false;
        if (!isalnum((unsigned char)*at) && !strchr("_+-/", *at)) return false;
        start = *at == '/';
    }
    return !start;
}

static struct zone *read_file(const char *name) {
    char path[512];
    const char *folder = getenv("TZDIR");
    if (!is_name(name)) return NULL;
    int length =
        snprintf(path, sizeof path, "%s/%s", folder ? folder : "/usr/share/zoneinfo", name);
    if (length < 0 || (size_t)length >= sizeof path) return NULL;
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    unsigned char *bytes = malloc(FILE_SIZE_MAX);
    size_t size = bytes ? fread(bytes, 1, FILE_SIZE_MAX, file) : 0;
    fclose(file);
    struct zone *z = size ? parse(bytes, size) : NULL;
    free(bytes);
    return z;
}

// --- the zones that were asked for -----------------------------------------------------------

// Guards `known`; a zone in it is never changed and never freed.
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct map *known;

static const struct zone *find(const char *name) {
    pthread_mutex_lock(&lock);
    if (!known) known = map_new();
    struct zone *z = known ? map_get(known, name) : NULL;
    if (!z && known && map_size(known) < ZONES_MAX && (z = read_file(name)) &&
        !map_set(known, name, z)) {
        free(z);
        z = NULL;
    }
    pthread_mutex_unlock(&lock);
    return z;
}

// The offset before the first change whose wall clock, read by the offset before it, is later.
static int offset_at(const struct zone *z, int64_t wall_s) {
    size_t low = 0, high = z->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int before_s = middle ? z->changes[middle - 1].offset_s : z->first_s;
        int after_s = z->changes[middle].offset_s;
        int most_s = before_s > after_s ? before_s : after_s;
        if (z->changes[middle].at_s + most_s <= wall_s)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? z->changes[low - 1].offset_s : z->first_s;
}

bool zone_offset_s(const char *name, size_t size, int64_t wall_s, int *offset_s) {
    char text[NAME_SIZE];
    if (size == 0 || size >= sizeof text || memchr(name, '\0', size)) return false;
    memcpy(text, name, size);
    text[size] = '\0';
    if (fixed_offset(text, offset_s)) return true;
    const struct zone *z = find(text);
    if (z) *offset_s = offset_at(z, wall_s);
    return z;
}
