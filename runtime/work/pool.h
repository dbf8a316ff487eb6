/* work/pool.h - a fixed number of workers that run jobs.
 *
 *     submit ─▶ interactive ─┐
 *                            ├─▶ worker: open, job, job, ..., close
 *     submit ─▶ background ──┘
 *
 * A worker is a thread with something of its own (a Lua state and a connection; the pool does
 * not know) and runs one job from start to end. Background jobs never hold the last worker, and
 * one that waits goes first while none of its lane runs: each lane always gets on. */
#ifndef BLIP_WORK_POOL_H
#define BLIP_WORK_POOL_H

#include "base/error.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum lane { LANE_INTERACTIVE, LANE_BACKGROUND };
#define LANES 2

/* One piece of work, a part of its owner: set the first four fields, leave the rest zero. The
 * owner keeps it until end() was called. */
struct pool_job {
    enum lane lane;
    int64_t deadline_ns;  // of time_monotonic_ns(); 0 = none
    const char *key;      // no two jobs of one key run at a time; NULL = none
    const struct pool_job_class *class;

    struct pool_job *next;  // the pool's own from here on
    atomic_bool cancelled;
    enum { JOB_NEW, JOB_WAITING, JOB_RUNNING, JOB_ENDED } state;
};

struct pool_job_class {
    void (*run)(struct pool_job *job, void *worker);  // on the worker's thread

    /* The pool's last word about a job: STATUS_OK when run() has returned, STATUS_CANCELLED
     * when it was dropped before. On any thread, without a lock. */
    void (*end)(struct pool_job *job, enum status how);
};

struct pool;

struct pool_options {
    unsigned workers;  // at least 2
    size_t queue_max;  // waiting jobs per lane
    void *context;     // for open

    /* What a worker owns; open and close run on its thread. interrupt may come from any thread
     * while a job runs, under the pool's lock: it stops what blocks the job, returns at once
     * and calls nothing of the pool. pool_job_cancelled() is true by then. */
    enum status (*open)(void *context, void **worker, struct error *err);
    void (*close)(void *worker);
    void (*interrupt)(void *worker);
};

/* Starts the workers and waits until every one is open. The first failure of an open() is
 * returned, and nothing runs then. */
enum status pool_new(const struct pool_options *options, struct pool **out, struct error *err);

/* Takes no more jobs, cancels background jobs and waits at most wait_ms for those that run,
 * then cancels all and joins the threads. The pool refuses jobs from then on. */
void pool_close(struct pool *p, int64_t wait_ms);

void pool_free(struct pool *p);  // after pool_close(); NULL is fine

/* Queues a job. STATUS_BUSY when the lane's queue is full or the pool is closing: end() is not
 * called then. Any thread. */
enum status pool_submit(struct pool *p, struct pool_job *job, struct error *err);

/* Drops a waiting job (end() is called before this returns), or tells a running one. Any
 * thread that knows that the job has not ended. */
void pool_cancel(struct pool *p, struct pool_job *job);

/* Cancels every job of a key, waiting or running; returns how many. Any thread. */
size_t pool_cancel_key(struct pool *p, const char *key);

/* Cancels what is past its deadline; call it a few times a second. */
void pool_expire(struct pool *p);

/* Has every worker close and open again between two jobs, so that it sees new scripts. */
void pool_reload(struct pool *p);

struct pool_counts {
    unsigned workers, running[LANES];
    size_t waiting[LANES];
    size_t queue_max;
};
struct pool_counts pool_counts(struct pool *p);

/* The job that the calling worker runs was cancelled or is past its deadline; false on threads
 * that run none. Ask wherever something loops. */
bool pool_job_cancelled(void);

#endif
