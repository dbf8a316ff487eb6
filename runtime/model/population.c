#include "model/population.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define GROWN_S (21 * 86400.0)  // a population is no longer young
#define HASTE 3.0               // by how much more a newborn one fades
#define MOST_AT_ONCE 1e6        // measurements that are counted of one bucket
#define PROBES 100              // samples that tell the usual spread
#define FINE 10000.0            // parts of the usual spread
#define SLICES 60               // of a bucket

// --- who is busy -----------------------------------------------------------------------------

static uint64_t mixed(uint64_t x) {
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdu;
    x ^= x >> 33;
    x *= 0xc4ceb9fe1a85ec53u;
    return x ^ x >> 33;
}

static size_t column(uint64_t person, size_t row) {
    return (size_t)(mixed(person + row * 0x9e3779b97f4a7c15u) % POPULATION_COLUMNS);
}

void population_see(struct population *p, uint64_t person, double amount) {
    amount = fmin(amount, MOST_AT_ONCE);
    for (size_t row = 0; row < POPULATION_ROWS; row++)
        p->counts[row][column(person, row)] += (float)amount;
    p->total += amount;
    uint64_t hash = mixed(person);
    uint8_t *place = &p->registers[hash % POPULATION_REGISTERS];
    uint8_t zeros = 1;
    for (hash /= POPULATION_REGISTERS; (hash & 1) == 0 && zeros < 50; hash >>= 1)
        zeros++;
    if (zeros > *place) *place = zeros;
}

double population_persons(const struct population *p) {
    double n = POPULATION_REGISTERS, sum = 0, empty = 0;
    for (size_t i = 0; i < POPULATION_REGISTERS; i++) {
        sum += ldexp(1, -p->registers[i]);
        empty += p->registers[i] == 0;
    }
    double many = 0.7213 / (1 + 1.079 / n) * n * n / sum;
    return many <= 2.5 * n && empty > 0 ? n * log(n / empty) : many;  // few: linear counting
}

double population_mean(const struct population *p) {
    return p->total / fmax(population_persons(p), 1);
}

double population_weight(const struct population *p, uint64_t person, double mean) {
    double count = INFINITY;
    for (size_t row = 0; row < POPULATION_ROWS; row++)
        count = fmin(count, (double)p->counts[row][column(person, row)]);
    return count > 0 ? fmin(mean / count, 1) : 1;
}

double population_haste(double age_s) {
    return 1 + HASTE * fmin(fmax(1 - age_s / GROWN_S, 0), 1);
}

// --- very many samples -----------------------------------------------------------------------

static int compare_samples(const void *left, const void *right) {
    const struct series_sample *a = left, *b = right;
    if (a->time_s != b->time_s) return a->time_s < b->time_s ? -1 : 1;
    if (a->value != b->value) return a->value < b->value ? -1 : 1;
    return (a->weight > b->weight) - (a->weight < b->weight);
}

static int compare_doubles(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* From the tenth to the ninetieth percentile of a few samples. */
static double usual_spread(const struct series_sample *samples, size_t count) {
    double probes[PROBES];
    for (size_t i = 0; i < PROBES; i++)
        probes[i] = samples[i * count / PROBES].value;
    qsort(probes, PROBES, sizeof *probes, compare_doubles);
    return probes[PROBES * 9 / 10] - probes[PROBES / 10];
}

static void join(struct series_sample *into, const struct series_sample *from) {
    double weight = into->weight + from->weight, part = from->weight / weight;
    into->time_s += part * (from->time_s - into->time_s);
    into->value += part * (from->value - into->value);
    into->weight = weight;
}

/* A number that looks like chance and is always the same. */
static uint64_t lot(const struct series_sample *s) {
    uint64_t bits;
    memcpy(&bits, &s->value, sizeof bits);
    return mixed(bits);
}

static int compare_lots(const void *left, const void *right) {
    uint64_t a = lot(left), b = lot(right);
    return a != b ? (a < b ? -1 : 1) : compare_samples(left, right);
}

/* Joins what is near in sorted samples; returns how many are left. */
static size_t join_near(struct series_sample *samples, size_t count, double fine) {
    size_t to = 0;
    double first = samples[0].value;
    for (size_t i = 1; i < count; i++) {
        bool near = samples[i].time_s == samples[to].time_s && samples[i].value - first <= fine;
        if (near && samples[i].weight > 0) {
            join(&samples[to], &samples[i]);
        } else {
            samples[++to] = samples[i];
            first = samples[i].value;
        }
    }
    return to + 1;
}

size_t population_merge(struct series_sample *samples, size_t count, int64_t bucket_span_s) {
    if (count < POPULATION_MANY) return count;
    double slice_s = (double)bucket_span_s / SLICES;
    for (size_t i = 0; i < count; i++)
        samples[i].time_s = floor(samples[i].time_s / slice_s) * slice_s + slice_s / 2;
    qsort(samples, count, sizeof *samples, compare_samples);
    size_t left = join_near(samples, count, usual_spread(samples, count) / FINE);
    qsort(samples, left, sizeof *samples, compare_lots);
    return left;
}

// --- bytes -----------------------------------------------------------------------------------

void population_save(const struct population *p, struct pack *to) {
    pack_f64(to, p->total);
    pack_bytes(to, p->registers, sizeof p->registers);
    pack_bytes(to, p->counts, sizeof p->counts);
}

enum status population_load(struct population *p, struct unpack *from, struct error *err) {
    p->total = unpack_f64(from);
    unpack_bytes(from, p->registers, sizeof p->registers);
    unpack_bytes(from, p->counts, sizeof p->counts);
    bool sound = !from->failed && p->total >= 0 && p->total < 1e15;
    for (size_t i = 0; sound && i < POPULATION_REGISTERS; i++)
        sound = p->registers[i] <= 64;
    for (size_t i = 0; sound && i < POPULATION_ROWS * POPULATION_COLUMNS; i++) {
        double count = (double)p->counts[i / POPULATION_COLUMNS][i % POPULATION_COLUMNS];
        sound = count >= 0 && count < 1e15;
    }
    if (sound) return STATUS_OK;
    *p = (struct population){0};
    return fail(err, STATUS_INVALID, "no saved population");
}
