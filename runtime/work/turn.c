/* work/turn.c - see turn.h. */
#include "work/turn.h"

#include "base/time.h"
#include "work/pool.h"
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LOOK_MS 20  // between two looks at whether the job was cancelled

struct turn {
    struct turn *next;
    char name[];
};

static struct {
    pthread_mutex_t lock;  // guards the list
    pthread_cond_t left;   // somebody gave a turn up
    struct turn *taken;
} turns = {.lock = PTHREAD_MUTEX_INITIALIZER, .left = PTHREAD_COND_INITIALIZER};

static bool is_taken(const char *name) {
    for (const struct turn *t = turns.taken; t; t = t->next)
        if (strcmp(t->name, name) == 0) return true;
    return false;
}

// Waits for a moment, or until somebody gave a turn up; the lock is held.
static void wait_a_little(void) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += LOOK_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_cond_timedwait(&turns.left, &turns.lock, &until);
}

// Waits until a name is free; the lock is held.
static enum status wait_for(const char *name, long wait_ms, struct error *err) {
    int64_t give_up_ns = time_monotonic_ns() + wait_ms * 1000000;
    while (is_taken(name)) {
        if (pool_job_cancelled())
            return fail(err, STATUS_CANCELLED, "the job was cancelled or ran out of time");
        if (time_monotonic_ns() >= give_up_ns)
            return fail(err, STATUS_BUSY, "'%s' is in use", name);
        wait_a_little();
    }
    return STATUS_OK;
}

enum status turn_take(const char *name, long wait_ms, struct turn **out, struct error *err) {
    size_t name_bytes = strlen(name) + 1;
    struct turn *t = malloc(sizeof *t + name_bytes);
    *out = NULL;
    if (!t) return fail(err, STATUS_NO_MEMORY, "no memory for the turn of '%s'", name);
    memcpy(t->name, name, name_bytes);
    pthread_mutex_lock(&turns.lock);
    enum status status = wait_for(name, wait_ms, err);
    if (status == STATUS_OK) {
        t->next = turns.taken;
        turns.taken = t;
    }
    pthread_mutex_unlock(&turns.lock);
    if (status == STATUS_OK)
        *out = t;
    else
        free(t);
    return status;
}

void turn_leave(struct turn *t) {
    if (!t) return;
    pthread_mutex_lock(&turns.lock);
    struct turn **at = &turns.taken;
    while (*at != t)
        at = &(*at)->next;
    *at = t->next;
    pthread_cond_broadcast(&turns.left);
    pthread_mutex_unlock(&turns.lock);
    free(t);
}
