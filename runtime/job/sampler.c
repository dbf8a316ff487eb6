/* job/sampler.c - see sampler.h. */
#include "job/sampler.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS_BEFORE_FIRST 3
#define BUCKETS_BEFORE_NEXT 30

// --- parts -----------------------------------------------------------------------------------

// In time order; equal times by value, so that the order of rows makes no difference.
static int by_time(const void *a, const void *b) {
    const struct part *x = a, *y = b;
    if (x->time_s != y->time_s) return x->time_s < y->time_s ? -1 : 1;
    return (x->value[0] > y->value[0]) - (x->value[0] < y->value[0]);
}

static int by_value(const void *a, const void *b) {
    const struct part *x = a, *y = b;
    return (x->value[0] > y->value[0]) - (x->value[0] < y->value[0]);
}

// Most parts arrive in order already.
static void sort(struct part *parts, size_t count, int (*order)(const void *, const void *)) {
    for (size_t i = 1; i < count; i++)
        if (order(&parts[i - 1], &parts[i]) > 0) {
            qsort(parts, count, sizeof *parts, order);
            return;
        }
}

// Adds b to a.
static void join(struct part *a, const struct part *b, enum detector_function function) {
    double total = a->count + b->count, share = b->count / total;
    double difference = b->value[0] - a->value[0];
    a->time_s += (b->time_s - a->time_s) * share;
    if (function == FUNCTION_VARP) {
        a->value[1] += b->value[1] + difference * difference * a->count * share;
    } else if (function == FUNCTION_LAT_LONG) {
        a->value[1] += (b->value[1] - a->value[1]) * share;
    } else {
        a->value[1] = fmin(a->value[1], b->value[1]);
        a->value[2] = fmax(a->value[2], b->value[2]);
    }
    a->value[0] += difference * share;
    a->count = total;
}

size_t parts_halve(struct part *parts, size_t count, enum detector_function function) {
    sort(parts, count, by_time);
    size_t half = 0;
    for (size_t i = 0; i < count; i += 2, half++) {
        parts[half] = parts[i];
        if (i + 1 == count) continue;
        if (function == FUNCTION_MEDIAN)
            parts[half].count += parts[i + 1].count;
        else
            join(&parts[half], &parts[i + 1], function);
    }
    return half;
}

double parts_median(struct part *parts, size_t count) {
    double total = 0, below = 0;
    for (size_t i = 0; i < count; i++)
        total += parts[i].count;
    sort(parts, count, by_value);
    for (size_t i = 0; i < count; i++) {
        below += parts[i].count;
        if (below == total / 2 && i + 1 < count)
            return parts[i].value[0] + (parts[i + 1].value[0] - parts[i].value[0]) / 2;
        if (below > total / 2) return parts[i].value[0];
    }
    return NAN;
}

// --- samples ---------------------------------------------------------------------------------

void sampler_free(struct sampler *s) {
    free(s->parts);
    *s = (struct sampler){0};
}

void sampler_count(struct sampler *s, double count, double least) {
    s->measurements += count;
    s->buckets++;
    double mean = s->measurements / s->buckets;
    if (s->per_sample == 0 ? s->buckets < BUCKETS_BEFORE_FIRST
                           : s->buckets < BUCKETS_BEFORE_NEXT)
        return;
    double ratio = s->per_sample > 0 ? mean / s->per_sample : 0;
    if (ratio < 0.5 || ratio > 2) s->per_sample = fmax(round(mean), least);
    s->measurements = 0;
    s->buckets = 0;
}

// The statistic over a group, whose parts are joined in `sum`; a median needs each of them.
static void group_value(const struct feature *feature, const struct part *sum,
                        struct part *group, size_t count, double *value) {
    value[1] = 0;
    switch (feature->statistic) {
    case STATISTIC_MIN:
        value[0] = sum->value[1];
        break;
    case STATISTIC_MAX:
        value[0] = sum->value[2];
        break;
    case STATISTIC_VARIANCE:
        value[0] = sum->value[1] / sum->count;
        break;
    case STATISTIC_MEDIAN:
        value[0] = parts_median(group, count);
        break;
    case STATISTIC_LOCATION:
        value[1] = sum->value[1];
        value[0] = sum->value[0];
        break;
    default:
        value[0] = sum->value[0];
    }
}

size_t sampler_cut(const struct sampler *s, const struct feature *feature,
                   enum detector_function function, struct part *parts, size_t count,
                   struct sample *out, size_t *used) {
    size_t samples = 0, start = 0;
    *used = 0;
    if (s->per_sample == 0) return 0;
    sort(parts, count, by_time);
    for (size_t i = 0; i < count;) {
        struct part sum = parts[i++];
        while (i < count && sum.count < s->per_sample)
            join(&sum, &parts[i++], function);
        if (sum.count < s->per_sample) break;
        struct sample *sample = &out[samples];
        group_value(feature, &sum, &parts[start], i - start, sample->value);
        sample->time_s = sum.time_s;
        sample->count = sum.count;
        samples += isfinite(sample->value[0]) && isfinite(sample->value[1]);
        start = *used = i;
    }
    return samples;
}

bool sampler_keep(struct sampler *s, const struct part *parts, size_t count,
                  enum detector_function function) {
    s->left = 0;
    if (count > s->left_capacity) {
        struct part *grown = realloc(s->parts, count * sizeof *grown);
        if (!grown) return false;
        s->parts = grown;
        s->left_capacity = (uint32_t)count;
    }
    if (count) memmove(s->parts, parts, count * sizeof *parts);
    while (count > PARTS_MAX)
        count = parts_halve(s->parts, count, function);
    s->left = (uint32_t)count;
    return true;
}

// --- saving ----------------------------------------------------------------------------------

void sampler_save(const struct sampler *s, struct pack *out) {
    pack_f64(out, s->per_sample);
    pack_f64(out, s->measurements);
    pack_u32(out, s->buckets);
    pack_u32(out, s->left);
    if (s->left) pack_bytes(out, s->parts, s->left * sizeof *s->parts);
}

bool sampler_load(struct sampler *s, struct unpack *in) {
    s->per_sample = unpack_f64(in);
    s->measurements = unpack_f64(in);
    s->buckets = unpack_u32(in);
    size_t left = unpack_u32(in);
    if (in->failed || left > PARTS_MAX || left * sizeof *s->parts > unpack_left(in))
        return false;
    if (left && !(s->parts = malloc(left * sizeof *s->parts))) return false;
    s->left = s->left_capacity = (uint32_t)left;
    if (left) unpack_bytes(in, s->parts, left * sizeof *s->parts);
    return true;
}
