/* work/loop.c - see loop.h. */
#include "work/loop.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

struct loop {
    uv_loop_t uv;
    uv_async_t wake;
    pthread_mutex_t lock;  // guards first, last
    struct loop_task *first, **last;
};

static struct loop_task *take_tasks(struct loop *l) {
    pthread_mutex_lock(&l->lock);
    struct loop_task *first = l->first;
    l->first = NULL;
    l->last = &l->first;
    pthread_mutex_unlock(&l->lock);
    return first;
}

static void run_tasks(uv_async_t *wake) {
    struct loop *l = wake->data;
    for (struct loop_task *task = take_tasks(l), *next; task; task = next) {
        next = task->next;
        task->run(task);
    }
}

enum status loop_new(struct loop **out, struct error *err) {
    struct loop *l = calloc(1, sizeof *l);
    if (!l) return fail(err, STATUS_NO_MEMORY, "not enough memory for the loop");
    l->last = &l->first;
    pthread_mutex_init(&l->lock, NULL);
    int failed = uv_loop_init(&l->uv);
    if (!failed) failed = uv_async_init(&l->uv, &l->wake, run_tasks);
    if (failed) {
        free(l);
        return fail(err, STATUS_FAILED, "cannot start the event loop: %s", uv_strerror(failed));
    }
    l->wake.data = l;
    *out = l;
    return STATUS_OK;
}

void loop_free(struct loop *l) {
    if (!l) return;
    uv_close((uv_handle_t *)&l->wake, NULL);
    uv_run(&l->uv, UV_RUN_DEFAULT);
    int busy = uv_loop_close(&l->uv);
    assert(!busy && "a handle is still open");
    (void)busy;
    pthread_mutex_destroy(&l->lock);
    free(l);
}

uv_loop_t *loop_uv(struct loop *l) { return &l->uv; }

void loop_run(struct loop *l) { uv_run(&l->uv, UV_RUN_DEFAULT); }

void loop_drain(struct loop *l) { uv_run(&l->uv, UV_RUN_NOWAIT); }

void loop_stop(struct loop *l) { uv_stop(&l->uv); }

void loop_post(struct loop *l, struct loop_task *task) {
    task->next = NULL;
    pthread_mutex_lock(&l->lock);
    *l->last = task;
    l->last = &task->next;
    pthread_mutex_unlock(&l->lock);
    uv_async_send(&l->wake);
}
