/* store/mapping.h - the fields of an index: their types, and the columns that hold them.
 *
 *     { "host": { "name": "a" }, "tags": ["x", "y"] }
 *
 *     root (object) ─┬─ host (object) ── host.name (text)    column "host.name"
 *                    └─ tags (text)                          column "tags", list "tags[]"
 *
 * A column holds the first value of a row; once a row had several, the field has a list column
 * too, which holds all values of such rows. Columns are in the order of the table, behind the
 * four that every table has (table.h). Fields are only ever added, so a position stays good.
 *
 * A mapping that others can see is not changed any more: writers work on a copy. */
#ifndef BLIP_STORE_MAPPING_H
#define BLIP_STORE_MAPPING_H

#include "base/bytes.h"
#include "base/date.h"
#include "base/error.h"
#include "base/json.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum field_type {
    FIELD_OBJECT,
    FIELD_NESTED,
    FIELD_ALIAS,
    FIELD_LONG,
    FIELD_INTEGER,
    FIELD_SHORT,
    FIELD_BYTE,
    FIELD_UNSIGNED_LONG,
    FIELD_DOUBLE,
    FIELD_FLOAT,
    FIELD_HALF_FLOAT,
    FIELD_SCALED_FLOAT,
    FIELD_BOOLEAN,
    FIELD_DATE,
    FIELD_DATE_NANOS,
    FIELD_TEXT,
    FIELD_MATCH_ONLY_TEXT,
    FIELD_KEYWORD,
    FIELD_CONSTANT_KEYWORD,
    FIELD_WILDCARD,
    FIELD_IP,
    FIELD_BINARY,
    FIELD_GEO_POINT,
    FIELD_FLAT_OBJECT,
};

/* How the values of a type lie in the table. */
enum storage {
    STORAGE_NONE,
    STORAGE_INT,     // BIGINT
    STORAGE_DOUBLE,  // DOUBLE
    STORAGE_BOOL,    // BOOLEAN
    STORAGE_TIME,    // TIMESTAMP, UTC
    STORAGE_TEXT,    // VARCHAR
};

enum dynamic { DYNAMIC_INHERIT, DYNAMIC_TRUE, DYNAMIC_FALSE, DYNAMIC_STRICT };

#define NO_COLUMN SIZE_MAX

struct field {
    char *name;  // last part of the path
    size_t name_size;
    char *path;    // "host.name"; "" for the root
    size_t index;  // among the mapping's fields
    enum field_type type;
    enum dynamic dynamic;        // objects
    bool enabled;                // objects: false keeps them out of the mapping
    bool no_coerce;              // numbers: texts and fractions are refused
    bool ignore_malformed;       // values that do not fit are left out
    size_t ignore_above;         // keywords: longer ones are left out; 0 = no limit
    double scaling_factor;       // scaled_float
    struct date_format *format;  // dates; NULL = the default
    char *format_text;           // as written; NULL = the default
    char *definition;            // leaves: their JSON in the mapping
    char *options;               // objects: "key":value,... beside "properties"; NULL = none
    size_t column, list;         // among the mapping's columns, or NO_COLUMN
    struct field *parent, **children;
    size_t child_count, child_capacity;
    size_t next_child;  // where a document's next field probably is
    uint64_t seen_in;   // the object of a document that had this field last
};

struct mapping_column {
    struct field *field;
    bool list;
    char *name;  // in the table, not quoted
};

struct mapping {
    struct field **fields;  // in the order they were added; [0] is the root
    size_t field_count, field_capacity;
    struct mapping_column *columns;
    size_t column_count, column_capacity;
    bool no_date_detection, numeric_detection;
    size_t field_limit, depth_limit;
};

/* An empty mapping; mapping_free() frees it. NULL when memory runs out. */
struct mapping *mapping_new(void);
struct mapping *mapping_copy(const struct mapping *m);
void mapping_free(struct mapping *m);  // NULL is fine

/* The Elasticsearch name of a type; and the type of a name, false when there is none. */
const char *field_type_name(enum field_type type);
bool field_type_find(const char *name, size_t size, enum field_type *out);
enum storage field_storage(enum field_type type);

/* The child of that name, NULL when there is none. Quick when children are asked for in the
 * order in which they were added. */
struct field *field_child(struct field *parent, const char *name, size_t size);
enum dynamic field_dynamic(const struct field *f);  // its own or what it inherits

/* Adds a field with a column where its type has one. definition: the field's JSON, or NULL for
 * what dynamic mapping gives to the type. */
enum status mapping_add(struct mapping *m, struct field *parent, const char *name, size_t size,
                        enum field_type type, const char *definition, struct field **out,
                        struct error *err);

/* Adds the column of a field that has none yet, its list column, or one whose name is known. */
enum status mapping_add_column(struct mapping *m, struct field *f, struct error *err);
enum status mapping_add_list(struct mapping *m, struct field *f, struct error *err);
enum status mapping_put_column(struct mapping *m, struct field *f, bool list, const char *name,
                               struct error *err);

/* Takes back what was added since the counts were so. */
void mapping_truncate(struct mapping *m, size_t field_count, size_t column_count);

/* Reads {"properties": ...}. Fields that `before` (may be NULL) also has keep their columns. */
enum status mapping_parse(struct json_reader *reader, const char *text, size_t size,
                          const struct mapping *before, struct mapping **out,
                          struct error *err);
/* Appends {"properties": ...}. */
void mapping_write(const struct mapping *m, struct bytes *out);

/* The columns as a JSON array in table order, and back: replaces what mapping_parse() chose. */
void mapping_write_columns(const struct mapping *m, struct bytes *out);
enum status mapping_read_columns(struct json_reader *reader, struct mapping *m,
                                 const char *text, size_t size, struct error *err);

#endif
