/* work/watch.h - tells when something in a folder changes.
 * Editors write a file in several steps: a change is told once the folder has been quiet for a
 * moment, and once at the beginning, so that nothing falls between a look and the watch. A
 * folder that does not exist yet, or goes and comes back, is watched once it is there. */
#ifndef BLIP_WORK_WATCH_H
#define BLIP_WORK_WATCH_H

#include "work/loop.h"
#include <stdbool.h>

struct watch;

/* Starts to watch; changed(context) is called on the loop thread, and again after a while when
 * it answers false. Any thread. STATUS_NO_MEMORY. */
enum status watch_new(struct loop *l, const char *folder, bool (*changed)(void *context),
                      void *context, struct watch **out, struct error *err);

/* Ends it: no call comes any more. On the loop thread, or when the loop has stopped and every
 * posted task has run; the memory goes when the loop next runs. NULL is fine. */
void watch_free(struct watch *w);

#endif
