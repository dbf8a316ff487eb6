/* base/metric.c - see metric.h. */
#include "base/metric.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define METRICS_MAX 512

struct metric {
    enum metric_type type;
    char name[96], labels[160], help[160];
    _Atomic double value;
};

// The lock guards the list; entries never move nor go, so values need none.
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct metric *list[METRICS_MAX];
static size_t count;
static struct metric nowhere;

static int compare(const struct metric *m, const char *name, const char *labels) {
    int order = strcmp(m->name, name);
    return order ? order : strcmp(m->labels, labels);
}

// The place of a metric in the sorted list.
static size_t place_of(const char *name, const char *labels) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (compare(list[middle], name, labels) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct metric *insert(size_t at, enum metric_type type, const char *name,
                             const char *labels, const char *help) {
    struct metric *m = count < METRICS_MAX ? calloc(1, sizeof *m) : NULL;
    if (!m) return &nowhere;
    m->type = type;
    snprintf(m->name, sizeof m->name, "%s", name);
    snprintf(m->labels, sizeof m->labels, "%s", labels);
    snprintf(m->help, sizeof m->help, "%s", help);
    memmove(&list[at + 1], &list[at], (count - at) * sizeof *list);
    list[at] = m;
    count++;
    return m;
}

struct metric *metric_get(enum metric_type type, const char *name, const char *labels,
                          const char *help) {
    pthread_mutex_lock(&lock);
    size_t at = place_of(name, labels);
    struct metric *m = at < count && compare(list[at], name, labels) == 0
                           ? list[at]
                           : insert(at, type, name, labels, help);
    pthread_mutex_unlock(&lock);
    return m;
}

void metric_add(struct metric *m, double amount) {
    double old = atomic_load_explicit(&m->value, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&m->value, &old, old + amount,
                                                  memory_order_relaxed, memory_order_relaxed)) {
    }
}

void metric_set(struct metric *m, double value) {
    atomic_store_explicit(&m->value, value, memory_order_relaxed);
}

double metric_value(const struct metric *m) {
    return atomic_load_explicit(&m->value, memory_order_relaxed);
}

static void append_metric(struct bytes *out, const struct metric *m, bool first) {
    if (first)
        bytes_append_format(out, "# HELP %s %s\n# TYPE %s %s\n", m->name, m->help, m->name,
                            m->type == METRIC_COUNTER ? "counter" : "gauge");
    bytes_append_text(out, m->name);
    if (*m->labels) bytes_append_format(out, "{%s}", m->labels);
    bytes_append_char(out, ' ');
    bytes_append_double(out, metric_value(m));
    bytes_append_char(out, '\n');
}

void metrics_append(struct bytes *out) {
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < count; i++)
        append_metric(out, list[i], i == 0 || strcmp(list[i - 1]->name, list[i]->name) != 0);
    pthread_mutex_unlock(&lock);
}
