/* net/health.h - what the loop thread answers itself, quick whatever the workers do, to
 * everyone:
 *     GET /healthz   200 while the loop runs
 *     GET /readyz    200 while requests are taken, 503 when stopping or when the queue is full
 *     GET /metrics   counters and gauges as Prometheus text; where there are users, they are
 *                    asked who they are, which is a worker's affair */
#ifndef BLIP_NET_HEALTH_H
#define BLIP_NET_HEALTH_H

#include "base/bytes.h"
#include <stdbool.h>

struct pool;
struct request;

/* Belongs to the loop thread. */
struct health {
    struct pool *pool;
    bool with_metrics;  // answers GET /metrics
};

/* The quick() of a server whose context is a struct health. */
bool health_answer(void *health, struct request *r);

/* Appends what GET /metrics shows. Any thread. */
void health_metrics(struct pool *pool, struct bytes *out);

#endif
