/* store/ingest.h - carries out the operations of a bulk.
 *
 *     parse all documents   │ lock the tables · ids, versions, conflicts · append · commit
 *        (no lock)          │            (writer locks of the tables)
 */
#ifndef BLIP_STORE_INGEST_H
#define BLIP_STORE_INGEST_H

#include "store/bulk.h"
#include "store/store.h"

/* Carries out every operation whose target has a table; those of targets with a refusal get it.
 * In the connection's open transaction, or in one of its own, committed when it returns.
 * An operation that fails leaves the others alone. Any other status than STATUS_OK: nothing was
 * written, and an open transaction must be rolled back. */
enum status ingest_bulk(struct connection *c, struct json_reader *reader, struct bulk *b,
                        struct error *err);

#endif
