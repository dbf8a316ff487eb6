/* work/watch.c - see watch.h. */
#include "work/watch.h"

#include <stdlib.h>
#include <string.h>

#define QUIET_MS 150   // without a change, before it is told
#define RETRY_MS 1000  // until the next look for a folder that is not there, or the next call

struct watch {
    struct loop_task start;  // first: the loop hands this back
    struct loop *loop;
    bool (*changed)(void *context);
    void *context;
    uv_fs_event_t event;
    uv_timer_t timer;  // runs until the folder is quiet, or until the next retry
    bool watching;
    int open;  // handles that are not closed yet
    char folder[];
};

static void on_timer(uv_timer_t *timer);

static void on_event(uv_fs_event_t *event, const char *name, int events, int status) {
    (void)name, (void)events, (void)status;
    struct watch *w = event->data;
    uv_timer_start(&w->timer, on_timer, QUIET_MS, 0);
}

/* Watches anew, because the folder may be another one of the same name by now. */
static void renew(struct watch *w) {
    uv_fs_event_stop(&w->event);
    w->watching = uv_fs_event_start(&w->event, on_event, w->folder, 0) == 0;
    if (!w->watching) uv_timer_start(&w->timer, on_timer, RETRY_MS, 0);
}

static void on_timer(uv_timer_t *timer) {
    struct watch *w = timer->data;
    bool was_watching = w->watching;
    renew(w);
    bool told = (!was_watching && !w->watching) || w->changed(w->context);
    if (!told) uv_timer_start(&w->timer, on_timer, RETRY_MS, 0);
}

static void start(struct loop_task *task) {
    struct watch *w = (struct watch *)task;
    uv_fs_event_init(loop_uv(w->loop), &w->event);
    uv_timer_init(loop_uv(w->loop), &w->timer);
    w->event.data = w->timer.data = w;
    w->open = 2;
    uv_timer_start(&w->timer, on_timer, 0, 0);
}

enum status watch_new(struct loop *l, const char *folder, bool (*changed)(void *context),
                      void *context, struct watch **out, struct error *err) {
    size_t size = strlen(folder) + 1;
    struct watch *w = calloc(1, sizeof *w + size);
    if (!w) return fail(err, STATUS_NO_MEMORY, "no memory to watch %s", folder);
    w->start.run = start;
    w->loop = l;
    w->changed = changed;
    w->context = context;
    memcpy(w->folder, folder, size);
    loop_post(l, &w->start);
    *out = w;
    return STATUS_OK;
}

static void on_close(uv_handle_t *handle) {
    struct watch *w = handle->data;
    if (--w->open == 0) free(w);
}

void watch_free(struct watch *w) {
    if (!w) return;
    if (w->open == 0) {  // the loop ended before it began
        free(w);
        return;
    }
    uv_close((uv_handle_t *)&w->event, on_close);
    uv_close((uv_handle_t *)&w->timer, on_close);
}
