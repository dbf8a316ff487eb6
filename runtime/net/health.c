/* net/health.c - see health.h. */
#include "net/health.h"

#include "base/metric.h"
#include "net/request.h"
#include "net/server.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void answer_healthz(struct pool *pool, struct request *r) {
    (void)pool;
    reply_text(&r->reply, 200, "ok\n");
}

static void answer_readyz(struct pool *pool, struct request *r) {
    struct pool_counts counts = pool_counts(pool);
    if (server_draining(r->server))
        reply_text(&r->reply, 503, "stopping\n");
    else if (counts.waiting[LANE_INTERACTIVE] >= counts.queue_max)
        reply_text(&r->reply, 503, "busy\n");
    else
        reply_text(&r->reply, 200, "ready\n");
}

static void set_gauge(const char *name, const char *labels, const char *help, double value) {
    metric_set(metric_get(METRIC_GAUGE, name, labels, help), value);
}

// Resident memory in bytes; 0 when the system does not say.
static double resident_bytes(void) {
    unsigned long total = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file) return 0;
    int read = fscanf(file, "%lu %lu", &total, &resident);
    fclose(file);
    return read == 2 ? (double)resident * (double)sysconf(_SC_PAGESIZE) : 0;
}

static void note_gauges(struct pool *pool) {
    static const char *const lanes[LANES] = {"lane=\"interactive\"", "lane=\"background\""};
    struct pool_counts counts = pool_counts(pool);
    for (int lane = 0; lane < LANES; lane++) {
        set_gauge("blip_jobs_running", lanes[lane], "Jobs that a worker runs.",
                  counts.running[lane]);
        set_gauge("blip_jobs_waiting", lanes[lane], "Jobs that wait for a worker.",
                  (double)counts.waiting[lane]);
    }
    set_gauge("blip_build_info", "version=\"" BLIP_VERSION "\"", "Always 1.", 1);
    set_gauge("blip_workers", "", "Workers of the pool.", counts.workers);
    set_gauge("process_resident_memory_bytes", "", "Resident memory.", resident_bytes());
}

void health_metrics(struct pool *pool, struct bytes *out) {
    note_gauges(pool);
    metrics_append(out);
}

static void answer_metrics(struct pool *pool, struct request *r) {
    r->reply.status = 200;
    headers_add(&r->reply.headers, "Content-Type", "text/plain; version=0.0.4; charset=utf-8");
    health_metrics(pool, &r->reply.body);
}

static const struct {
    const char *path;
    void (*answer)(struct pool *pool, struct request *r);
} answers[] = {
    {"/healthz", answer_healthz},
    {"/readyz", answer_readyz},
    {"/metrics", answer_metrics},
};

bool health_answer(void *context, struct request *r) {
    const struct health *health = context;
    if (strcmp(r->method, "GET") != 0 && strcmp(r->method, "HEAD") != 0) return false;
    size_t length = strcspn(r->uri, "?");
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        if (strlen(answers[i].path) == length &&
            strncmp(r->uri, answers[i].path, length) == 0) {
            if (answers[i].answer == answer_metrics && !health->with_metrics) return false;
            answers[i].answer(health->pool, r);
            return true;
        }
    return false;
}
