/* store/snapshot.c - see snapshot.h. */
#include "store/snapshot.h"

#include <string.h>

static struct param text_param(const char *bytes, size_t size) {
    return (struct param){.type = PARAM_TEXT, .text = {bytes, size}};
}

enum status snapshot_put(struct connection *c, const char *detector, const char *entity,
                         size_t entity_size, int64_t position_ms, const void *bytes,
                         size_t size, struct error *err) {
    const struct param params[] = {
        text_param(detector, strlen(detector)),
        text_param(entity, entity_size),
        {.type = PARAM_INT, .integer = position_ms},
        {.type = PARAM_BLOB, .text = {bytes, size}},
    };
    enum status status =
        connection_execute(c, "DELETE FROM blip.snapshots WHERE detector = ? AND entity = ?",
                           params, 2, NULL, err);
    if (status != STATUS_OK) return status;
    return connection_execute(c, "INSERT INTO blip.snapshots VALUES (?, ?, ?, ?)", params, 4,
                              NULL, err);
}

enum status snapshot_get(struct connection *c, const char *detector, struct frame **out,
                         struct error *err) {
    const struct param params[] = {text_param(detector, strlen(detector))};
    return connection_query(
        c, "SELECT entity, position_ms, bytes FROM blip.snapshots WHERE detector = ?", params,
        1, out, err);
}

enum status snapshot_delete(struct connection *c, const char *detector, struct error *err) {
    const struct param params[] = {text_param(detector, strlen(detector))};
    return connection_execute(c, "DELETE FROM blip.snapshots WHERE detector = ?", params, 1,
                              NULL, err);
}
