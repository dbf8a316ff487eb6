/* store/table_internal.h - the parts of a table that table.c and table_write.c share. */
#ifndef BLIP_STORE_TABLE_INTERNAL_H
#define BLIP_STORE_TABLE_INTERNAL_H

#include "store/table.h"
#include <pthread.h>

struct table_registry {
    pthread_mutex_t lock;   // guards what follows, and what tables say it guards
    struct table **tables;  // in the order of names
    size_t count, capacity;
    uint64_t version;
    pthread_mutex_t creating;  // one index is created at a time
};

struct table {
    struct table_registry *registry;
    size_t references;  // atomic
    char *name, *uuid;
    int64_t created_ms;
    // guarded by registry->lock
    char *settings, *aliases;
    struct mapping *mapping;  // never changed, only replaced
    uint64_t mapping_version;
    // guarded by writer: held from a transaction's first write to its end
    pthread_mutex_t writer;
    _Atomic bool dropped;  // taken back without the lock when the commit of a drop fails
    int64_t next_seq_no;   // -1 until the first write
    int64_t least_seq_no;  // as the registry says: deletes may have gone beyond the rows
    struct id_map *ids;    // NULL until an explicit id is written
};

struct table *table_retain(struct table *t);

/* Takes the limits of a mapping from the settings of its index. */
void table_set_limits(struct mapping *m, const char *settings);

/* "name" TYPE, for CREATE TABLE and ALTER TABLE. */
void append_column_definition(struct bytes *sql, const struct mapping_column *c);

/* Reads a mapping from a zero-terminated text. */
enum status table_parse_mapping(const char *text, const struct mapping *before,
                                struct mapping **out, struct error *err);

#endif
