/* work/pool.c - see pool.h. */
#include "work/pool.h"

#include "base/log.h"
#include "base/time.h"
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct queue {
    struct pool_job *first, **last;
    size_t size;
};

struct worker {
    struct pool *pool;
    pthread_t thread;
    void *own;             // what open() made; changed by the worker alone, under the lock
    struct pool_job *job;  // runs now, NULL when idle
    unsigned generation;   // of the pool when own was opened
    bool started;
};

struct pool {
    struct pool_options options;
    pthread_mutex_t lock;    // guards everything below, and every job's state
    pthread_cond_t work;     // something to do for a worker
    pthread_cond_t settled;  // a worker has opened, failed to, or become idle
    struct queue queues[LANES];
    unsigned running[LANES];
    unsigned open_workers;  // opened, or failed to
    unsigned generation;    // one more for each reload
    bool closing, failed;
    struct error error;  // of the first open() that failed
    struct worker workers[];
};

static _Thread_local struct pool_job *current;

static bool past_deadline(const struct pool_job *job) {
    return job->deadline_ns && time_monotonic_ns() > job->deadline_ns;
}

bool pool_job_cancelled(void) {
    return current && (atomic_load(&current->cancelled) || past_deadline(current));
}

// --- queues ----------------------------------------------------------------------------------

static void queue_push(struct queue *q, struct pool_job *job) {
    job->next = NULL;
    *q->last = job;
    q->last = &job->next;
    q->size++;
}

static struct pool_job *queue_take(struct queue *q, struct pool_job **at) {
    struct pool_job *job = *at;
    *at = job->next;
    if (q->last == &job->next) q->last = at;
    q->size--;
    return job;
}

static bool key_runs(const struct pool *p, const char *key) {
    for (unsigned i = 0; i < p->options.workers; i++) {
        const struct pool_job *job = p->workers[i].job;
        if (job && job->key && strcmp(job->key, key) == 0) return true;
    }
    return false;
}

// Takes the oldest job of a lane whose key is free; NULL when there is none.
static struct pool_job *take_from(struct pool *p, enum lane lane) {
    struct queue *q = &p->queues[lane];
    for (struct pool_job **at = &q->first; *at; at = &(*at)->next)
        if (!(*at)->key || !key_runs(p, (*at)->key)) return queue_take(q, at);
    return NULL;
}

// What a free worker does next: see the rule in pool.h.
static struct pool_job *take_job(struct pool *p) {
    struct pool_job *job = NULL;
    if (p->running[LANE_BACKGROUND] == 0) job = take_from(p, LANE_BACKGROUND);
    if (!job) job = take_from(p, LANE_INTERACTIVE);
    if (!job && p->running[LANE_BACKGROUND] + 1 < p->options.workers)
        job = take_from(p, LANE_BACKGROUND);
    return job;
}

// --- a worker --------------------------------------------------------------------------------

static void run_job(struct worker *w, struct pool_job *job) {
    struct pool *p = w->pool;
    enum lane lane = job->lane;
    w->job = job;
    job->state = JOB_RUNNING;
    p->running[lane]++;
    pthread_mutex_unlock(&p->lock);

    current = job;
    job->class->run(job, w->own);
    current = NULL;

    pthread_mutex_lock(&p->lock);
    w->job = NULL;
    job->state = JOB_ENDED;
    p->running[lane]--;
    // A key or the background lane may have become free for somebody else.
    pthread_cond_broadcast(&p->work);
    pthread_cond_signal(&p->settled);
    pthread_mutex_unlock(&p->lock);
    job->class->end(job, STATUS_OK);
    pthread_mutex_lock(&p->lock);
}

// Opens anew what the worker owns; keeps the old one when that fails.
static void reopen(struct worker *w) {
    struct pool *p = w->pool;
    w->generation = p->generation;
    pthread_mutex_unlock(&p->lock);
    struct error err;
    void *own = NULL;
    bool opened = p->options.open(p->options.context, &own, &err) == STATUS_OK;
    if (!opened) log_event(LOG_LEVEL_ERROR, "reload_failed", log_text("reason", err.reason));
    pthread_mutex_lock(&p->lock);
    if (!opened) return;
    void *old = w->own;
    w->own = own;
    pthread_mutex_unlock(&p->lock);
    p->options.close(old);
    pthread_mutex_lock(&p->lock);
}

static void work(struct worker *w) {
    struct pool *p = w->pool;
    for (;;) {
        if (w->generation != p->generation && !p->closing) reopen(w);
        struct pool_job *job = take_job(p);
        if (job)
            run_job(w, job);
        else if (p->closing)
            return;
        else
            pthread_cond_wait(&p->work, &p->lock);
    }
}

static bool open_worker(struct worker *w) {
    struct pool *p = w->pool;
    struct error err;
    void *own = NULL;
    enum status status = p->options.open(p->options.context, &own, &err);
    pthread_mutex_lock(&p->lock);
    w->own = own;
    if (status != STATUS_OK && !p->failed) {
        p->failed = p->closing = true;
        p->error = err;
    }
    p->open_workers++;
    pthread_cond_signal(&p->settled);
    pthread_mutex_unlock(&p->lock);
    return status == STATUS_OK;
}

static void *worker_main(void *argument) {
    struct worker *w = argument;
    struct pool *p = w->pool;
    if (!open_worker(w)) return NULL;
    pthread_mutex_lock(&p->lock);
    work(w);
    pthread_mutex_unlock(&p->lock);
    p->options.close(w->own);
    return NULL;
}

// --- the pool --------------------------------------------------------------------------------

static void join_workers(struct pool *p) {
    for (unsigned i = 0; i < p->options.workers; i++)
        if (p->workers[i].started) pthread_join(p->workers[i].thread, NULL);
}

void pool_free(struct pool *p) {
    if (!p) return;
    pthread_cond_destroy(&p->settled);
    pthread_cond_destroy(&p->work);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

static struct pool *create(const struct pool_options *options) {
    struct pool *p = calloc(1, sizeof *p + options->workers * sizeof *p->workers);
    if (!p) return NULL;
    p->options = *options;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&p->settled, &monotonic);
    pthread_condattr_destroy(&monotonic);
    for (int lane = 0; lane < LANES; lane++)
        p->queues[lane].last = &p->queues[lane].first;
    return p;
}

// Starts the threads; those that do start are counted in open_workers once they are open.
static unsigned start_workers(struct pool *p) {
    unsigned started = 0;
    for (; started < p->options.workers; started++) {
        struct worker *w = &p->workers[started];
        w->pool = p;
        w->started = pthread_create(&w->thread, NULL, worker_main, w) == 0;
        if (!w->started) break;
    }
    return started;
}

enum status pool_new(const struct pool_options *options, struct pool **out, struct error *err) {
    assert(options->workers >= 2);
    struct pool *p = create(options);
    if (!p) return fail(err, STATUS_NO_MEMORY, "not enough memory for the workers");
    unsigned started = start_workers(p);
    pthread_mutex_lock(&p->lock);
    while (p->open_workers < started)
        pthread_cond_wait(&p->settled, &p->lock);
    if (started < options->workers && !p->failed) {
        p->failed = p->closing = true;
        fail(&p->error, STATUS_FAILED, "cannot start worker thread %u", started + 1);
    }
    pthread_cond_broadcast(&p->work);
    bool failed = p->failed;
    pthread_mutex_unlock(&p->lock);
    if (!failed) {
        *out = p;
        return STATUS_OK;
    }
    if (err) *err = p->error;
    enum status status = p->error.status;
    join_workers(p);
    pool_free(p);
    return status;
}

enum status pool_submit(struct pool *p, struct pool_job *job, struct error *err) {
    assert(job->state == JOB_NEW);
    enum status status = STATUS_OK;
    pthread_mutex_lock(&p->lock);
    struct queue *q = &p->queues[job->lane];
    if (p->closing)
        status = fail(err, STATUS_BUSY, "the server is shutting down");
    else if (q->size >= p->options.queue_max)
        status = fail(err, STATUS_BUSY, "%zu jobs wait already", q->size);
    else {
        job->state = JOB_WAITING;
        queue_push(q, job);
        pthread_cond_signal(&p->work);
    }
    pthread_mutex_unlock(&p->lock);
    return status;
}

static void interrupt_locked(struct pool *p, struct pool_job *job) {
    atomic_store(&job->cancelled, true);
    for (unsigned i = 0; i < p->options.workers; i++)
        if (p->workers[i].job == job) p->options.interrupt(p->workers[i].own);
}

// Takes a waiting job out of its queue.
static void unqueue_locked(struct pool *p, struct pool_job *job) {
    struct queue *q = &p->queues[job->lane];
    struct pool_job **at = &q->first;
    while (*at != job)
        at = &(*at)->next;
    queue_take(q, at);
    job->state = JOB_ENDED;
}

void pool_cancel(struct pool *p, struct pool_job *job) {
    pthread_mutex_lock(&p->lock);
    bool dropped = job->state == JOB_WAITING;
    if (dropped)
        unqueue_locked(p, job);
    else if (job->state == JOB_RUNNING)
        interrupt_locked(p, job);
    pthread_mutex_unlock(&p->lock);
    if (dropped) job->class->end(job, STATUS_CANCELLED);
}

// Takes the waiting jobs of a lane that `wanted` picks; they are linked by next.
static struct pool_job *take_all(struct queue *q,
                                 bool (*wanted)(const struct pool_job *, const char *),
                                 const char *argument) {
    struct pool_job *taken = NULL;
    for (struct pool_job **at = &q->first; *at;) {
        if (!wanted(*at, argument)) {
            at = &(*at)->next;
            continue;
        }
        struct pool_job *job = queue_take(q, at);
        job->state = JOB_ENDED;
        job->next = taken;
        taken = job;
    }
    return taken;
}

static bool is_late(const struct pool_job *job, const char *unused) {
    (void)unused;
    return past_deadline(job);
}

static bool is_any(const struct pool_job *job, const char *unused) {
    (void)job, (void)unused;
    return true;
}

static bool has_key(const struct pool_job *job, const char *key) {
    return job->key && strcmp(job->key, key) == 0;
}

// Tells the owners of jobs that were taken; returns how many there were.
static size_t end_all(struct pool_job *jobs) {
    size_t count = 0;
    for (struct pool_job *next; jobs; jobs = next, count++) {
        next = jobs->next;
        jobs->class->end(jobs, STATUS_CANCELLED);
    }
    return count;
}

// Tells the running jobs that `wanted` picks; returns how many.
static size_t interrupt_all(struct pool *p,
                            bool (*wanted)(const struct pool_job *, const char *),
                            const char *argument) {
    size_t count = 0;
    for (unsigned i = 0; i < p->options.workers; i++) {
        struct pool_job *job = p->workers[i].job;
        if (!job || !wanted(job, argument)) continue;
        interrupt_locked(p, job);
        count++;
    }
    return count;
}

size_t pool_cancel_key(struct pool *p, const char *key) {
    struct pool_job *waiting[LANES];
    pthread_mutex_lock(&p->lock);
    for (int lane = 0; lane < LANES; lane++)
        waiting[lane] = take_all(&p->queues[lane], has_key, key);
    size_t count = interrupt_all(p, has_key, key);
    pthread_mutex_unlock(&p->lock);
    return count + end_all(waiting[LANE_INTERACTIVE]) + end_all(waiting[LANE_BACKGROUND]);
}

void pool_expire(struct pool *p) {
    pthread_mutex_lock(&p->lock);
    struct pool_job *interactive = take_all(&p->queues[LANE_INTERACTIVE], is_late, NULL);
    struct pool_job *background = take_all(&p->queues[LANE_BACKGROUND], is_late, NULL);
    interrupt_all(p, is_late, NULL);
    pthread_mutex_unlock(&p->lock);
    end_all(interactive);
    end_all(background);
}

void pool_reload(struct pool *p) {
    pthread_mutex_lock(&p->lock);
    p->generation++;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
}

static bool in_background(const struct pool_job *job, const char *unused) {
    (void)unused;
    return job->lane == LANE_BACKGROUND;
}

// Waits until no job runs, or until a moment.
static void wait_idle(struct pool *p, int64_t until_ns) {
    struct timespec until = {.tv_sec = until_ns / 1000000000, .tv_nsec = until_ns % 1000000000};
    while (p->running[LANE_INTERACTIVE] + p->running[LANE_BACKGROUND] +
           p->queues[LANE_INTERACTIVE].size)
        if (pthread_cond_timedwait(&p->settled, &p->lock, &until) != 0) return;
}

void pool_close(struct pool *p, int64_t wait_ms) {
    pthread_mutex_lock(&p->lock);
    p->closing = true;
    struct pool_job *background = take_all(&p->queues[LANE_BACKGROUND], is_any, NULL);
    interrupt_all(p, in_background, NULL);
    pthread_cond_broadcast(&p->work);
    wait_idle(p, time_monotonic_ns() + wait_ms * 1000000);
    struct pool_job *interactive = take_all(&p->queues[LANE_INTERACTIVE], is_any, NULL);
    interrupt_all(p, is_any, NULL);
    pthread_mutex_unlock(&p->lock);
    end_all(background);
    end_all(interactive);
    join_workers(p);
}

struct pool_counts pool_counts(struct pool *p) {
    struct pool_counts counts = {.workers = p->options.workers,
                                 .queue_max = p->options.queue_max};
    pthread_mutex_lock(&p->lock);
    for (int lane = 0; lane < LANES; lane++) {
        counts.running[lane] = p->running[lane];
        counts.waiting[lane] = p->queues[lane].size;
    }
    pthread_mutex_unlock(&p->lock);
    return counts;
}
