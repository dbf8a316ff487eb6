/* store/snapshot.h - the bytes of models, in the table blip.snapshots.
 * One row for each detector and entity: where in its rows the model stands, and its state. */
#ifndef BLIP_STORE_SNAPSHOT_H
#define BLIP_STORE_SNAPSHOT_H

#include "store/store.h"

/* Replaces the snapshot of an entity, in the open transaction or by itself.
 *   position_ms  up to where the model has seen the detector's rows */
enum status snapshot_put(struct connection *c, const char *detector, const char *entity,
                         size_t entity_size, int64_t position_ms, const void *bytes,
                         size_t size, struct error *err);

/* All snapshots of a detector, as a frame: entity (TEXT), position_ms (INT), bytes (TEXT). */
enum status snapshot_get(struct connection *c, const char *detector, struct frame **out,
                         struct error *err);

enum status snapshot_delete(struct connection *c, const char *detector, struct error *err);

#endif
