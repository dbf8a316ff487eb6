/* store/table.h - the tables of the indices, as all threads see them.
 *
 *     "logs"   _id VARCHAR · _seq_no BIGINT · _version BIGINT · _source VARCHAR ·
 *              "host" VARCHAR ...
 *
 * The table of an index is named as the index; its columns behind the first four are those of
 * the mapping. The schema `blip` holds the registry (blip.indices) and the snapshots.
 *
 * One transaction at a time writes to a table: table_write_begin() takes the table's writer
 * lock and connection_commit() or connection_rollback() gives it back, also publishing or
 * undoing what changed in memory: the mapping, the next _seq_no, the id map. */
#ifndef BLIP_STORE_TABLE_H
#define BLIP_STORE_TABLE_H

#include "store/id_map.h"
#include "store/mapping.h"
#include "store/store.h"

struct table;

/* What the registry keeps of an index beside its mapping; texts are JSON objects. */
struct table_info {
    const char *name, *uuid, *settings, *aliases;
    int64_t created_ms;
};

/* Loads the registry of a store that was just opened, or creates it. */
enum status tables_open(struct connection *c, struct error *err);
void tables_close(struct store *s);

/* The table of an index, retained: table_release() it. NULL when there is none. */
struct table *table_find(struct store *s, const char *name, size_t size);
void table_release(struct table *t);  // NULL is fine

const char *table_name(const struct table *t);
const char *table_uuid(const struct table *t);

/* A copy of the published mapping, and the number that changes with it. NULL: no memory. */
struct mapping *table_mapping(struct table *t, uint64_t *version);

/* Calls `use` with each index in the order of names, or only with `name` when it is not NULL.
 * The texts are good during the call. Stops when it returns false. */
void tables_each(struct store *s, const char *name,
                 bool (*use)(void *context, const struct table_info *info), void *context);

/* Changes when an index was created, changed or deleted. */
uint64_t tables_version(struct store *s);

/* Creates an index, outside of any transaction. mapping: {"properties":...}.
 * STATUS_CONFLICT when it exists. */
enum status table_create(struct connection *c, const struct table_info *info,
                         const char *mapping, struct error *err);

/* Deletes an index, outside of any transaction. STATUS_NOT_FOUND. */
enum status table_drop(struct connection *c, const char *name, struct error *err);

/* Changes settings, aliases or mapping (NULL: as they are), in the open transaction or in one
 * of its own. The mapping must hold every field that the index has. */
enum status table_change(struct connection *c, const char *name, const char *settings,
                         const char *aliases, const char *mapping, struct error *err);

/* A transaction's hold on a table; lives until the transaction ends. */
struct table_write {
    struct table_write *next;
    struct table *table;
    struct mapping *mapping;  // what this transaction sees; published when it commits
    uint64_t mapping_version;
    bool begun, mapping_changed;
    bool sees_newest;          // locked before the transaction began: nothing was written since
    char *settings, *aliases;  // to be published; NULL = as they were
    int64_t next_seq_no;
    struct id_map *ids;     // NULL until an explicit id is written
    bool ids_loaded;        // by this transaction
    struct id_entry *undo;  // entries as they were, hash and all; version 0 = there was none
    size_t undo_count, undo_capacity;
};

/* Takes the writer lock, waiting for the transaction that has it, also before the transaction
 * that it is meant for has begun. A second call changes nothing. STATUS_NOT_FOUND when the
 * index was deleted meanwhile, STATUS_BUSY after 30 seconds. */
enum status table_write_lock(struct connection *c, struct table *t, struct error *err);

/* Begins a transaction that will write to some tables: it waits for their locks first, so that
 * it sees all that others have written to them. `tables` in the order of their names. */
enum status connection_begin_behind(struct connection *c, struct table *const *tables,
                                    size_t count, struct error *err);

/* As table_write_lock(), and gives the hold; the connection must be in a transaction. */
enum status table_write_begin(struct connection *c, struct table *t, struct table_write **out,
                              struct error *err);

/* Loads the id map if it is not there yet. */
enum status table_write_need_ids(struct connection *c, struct table_write *w,
                                 struct error *err);

/* Puts an id into the map, to be undone when the transaction does not commit. */
enum status table_write_put_id(struct table_write *w, struct id_entry entry, struct error *err);

/* Makes the mapping that of the transaction: adds the columns behind `first_column` to the
 * table and saves it. Takes the mapping over, also when it fails. */
enum status table_write_mapping(struct connection *c, struct table_write *w,
                                struct mapping *mapping, struct error *err);

/* For connection_commit() and connection_rollback(). */
void table_writes_end(struct connection *c, bool committed);

/* Appends a name as a quoted SQL identifier. */
void append_identifier(struct bytes *sql, const char *name);

#endif
