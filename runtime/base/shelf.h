/* base/shelf.h - things that outlive a request, each lent to one borrower at a time.
 *
 *     borrow ─▶ use ─▶ commit ─▶ give back        the next borrower finds it as it was left
 *                  └─▶ failure: free and drop     the next borrower finds none
 *
 * A shelf is made statically: struct shelf s = SHELF("jobs"). One lock guards its table; it is
 * never held while a thing works. Things are few: the table is searched from the start. */
#ifndef BLIP_BASE_SHELF_H
#define BLIP_BASE_SHELF_H

#include "base/error.h"
#include <pthread.h>
#include <stddef.h>

struct shelf_entry;

struct shelf {
    const char *what;      // "models": a reason says whose they are
    pthread_mutex_t lock;  // guards all below
    struct shelf_entry *entries;
    size_t count, capacity;
};

#define SHELF(name)                                                                            \
    { .what = (name), .lock = PTHREAD_MUTEX_INITIALIZER }

/* Takes the thing of a key out. STATUS_NOT_FOUND when there is none, STATUS_BUSY while it is
 * lent to somebody else. */
enum status shelf_borrow(struct shelf *s, const char *key, void **out, struct error *err);

/* Hands a thing over under a key: the shelf owns it now. STATUS_CONFLICT (and the thing stays
 * the caller's) when the key holds another one, STATUS_NO_MEMORY. */
enum status shelf_give_back(struct shelf *s, const char *key, void *thing, struct error *err);

/* Forgets a key: ends a loan whose thing was freed (returns NULL), or returns a thing that was
 * at home; it is the caller's then. */
void *shelf_drop(struct shelf *s, const char *key);

/* Calls visit for everything that is at home, with the lock held. */
void shelf_each(struct shelf *s, void (*visit)(void *context, void *thing), void *context);

#endif
