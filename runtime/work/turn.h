/* work/turn.h - what one thread at a time may work on, by name: a job's models, its journal.
 * Turns are taken in no order. One lock guards the table of names; nobody holds it while he
 * waits or works. */
#ifndef BLIP_WORK_TURN_H
#define BLIP_WORK_TURN_H

#include "base/error.h"

struct turn;

/* Waits for the turn of a name and takes it; turn_leave() gives it up. A thread that takes a
 * turn which it has waits for itself.
 * STATUS_BUSY when it is not free after wait_ms, STATUS_CANCELLED when the calling worker's job
 * was cancelled meanwhile, STATUS_NO_MEMORY. */
enum status turn_take(const char *name, long wait_ms, struct turn **out, struct error *err);

void turn_leave(struct turn *t);  // NULL is fine

#endif
