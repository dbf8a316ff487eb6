/* base/metric.h - the process' counters and gauges, written out as Prometheus text.
 * A metric is made once and lives as long as the process; changing one is an atomic add. */
#ifndef BLIP_BASE_METRIC_H
#define BLIP_BASE_METRIC_H

#include "base/bytes.h"
#include <stdint.h>

enum metric_type { METRIC_COUNTER, METRIC_GAUGE };

struct metric;

/* The metric of a name and labels, made at the first call. The texts are copied.
 *   name    "blip_http_requests_total"
 *   labels  "status=\"2xx\"", or "" for none
 *   help    one line
 * Never NULL: when memory runs out or there are too many, a metric that nobody prints. */
struct metric *metric_get(enum metric_type type, const char *name, const char *labels,
                          const char *help);

void metric_add(struct metric *m, double amount);
void metric_set(struct metric *m, double value);
double metric_value(const struct metric *m);

/* Appends every metric in Prometheus' text form, metrics of one name together. */
void metrics_append(struct bytes *out);

#endif
