/* work/loop.h - the loop thread: libuv's loop, and a way for other threads to run something
 * on it. The loop never waits for anything but its own events. */
#ifndef BLIP_WORK_LOOP_H
#define BLIP_WORK_LOOP_H

#include "base/error.h"
#include <uv.h>

struct loop;

/* A call to be made on the loop thread; a part of its owner, so that posting cannot fail. */
struct loop_task {
    void (*run)(struct loop_task *task);
    struct loop_task *next;  // the loop's own
};

enum status loop_new(struct loop **out, struct error *err);
void loop_free(struct loop *l);  // every handle of others must be closed; NULL is fine

uv_loop_t *loop_uv(struct loop *l);

/* Runs until loop_stop(), on the calling thread, which is the loop thread from now on. */
void loop_run(struct loop *l);

/* Runs what is pending without waiting: closes handles after the loop has stopped. */
void loop_drain(struct loop *l);

void loop_stop(struct loop *l);  // from the loop thread

/* Has task->run called on the loop thread, soon and in the order of posting. Any thread. */
void loop_post(struct loop *l, struct loop_task *task);

#endif
