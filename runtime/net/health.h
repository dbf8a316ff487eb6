/* net/health.h - what the loop thread answers itself, quick whatever the workers do:
 *     GET /healthz   200 while the loop runs
 *     GET /readyz    200 while requests are taken, 503 when stopping or when the queue is full
 *     GET /metrics   counters and gauges as Prometheus text */
#ifndef BLIP_NET_HEALTH_H
#define BLIP_NET_HEALTH_H

#include <stdbool.h>

struct request;

/* The quick() of a server whose context is its pool. */
bool health_answer(void *pool, struct request *r);

#endif
