/* store/append.h - the rows of a batch into their table. */
#ifndef BLIP_STORE_APPEND_H
#define BLIP_STORE_APPEND_H

#include "store/batch.h"
#include "store/store.h"

/* Appends the rows that are not dead, in the open transaction of the connection. The table must
 * have the columns of the batch's mapping. */
enum status append_batch(struct connection *c, const char *table, const struct batch *b,
                         struct error *err);

#endif
