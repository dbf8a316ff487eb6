/* work/schedule.h - what is due when: one moment per key, kept by the loop thread's timer.
 * When a key is due its entry goes away and fire() is called with it on the loop thread. Any
 * thread may set and clear. */
#ifndef BLIP_WORK_SCHEDULE_H
#define BLIP_WORK_SCHEDULE_H

#include "work/loop.h"
#include <stdbool.h>
#include <stdint.h>

struct schedule;

/* What is to happen; a part of its owner. */
struct schedule_entry {
    const char *key;
    int64_t due_ms;  // milliseconds since 1970
    size_t place;    // the schedule's own
};

struct schedule_options {
    struct loop *loop;
    void *context;
    void (*fire)(void *context, struct schedule_entry *entry);  // owns the entry now
    void (*release)(struct schedule_entry *entry);  // of one that was replaced or cleared
};

enum status schedule_new(const struct schedule_options *options, struct schedule **out,
                         struct error *err);

/* From the loop thread, while the loop can still run to close the timer; releases what is left.
 * NULL is fine. */
void schedule_free(struct schedule *s);

/* Makes an entry due at its moment, in the place of an older one of its key. Takes the entry
 * also when it fails, with STATUS_NO_MEMORY. */
enum status schedule_set(struct schedule *s, struct schedule_entry *entry, struct error *err);

/* Takes a key's entry out. True when there was one. */
bool schedule_clear(struct schedule *s, const char *key);

size_t schedule_size(struct schedule *s);

#endif
