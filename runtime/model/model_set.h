/* model/model_set.h - the models of one detector, one per entity, scoring frames on all cores.
 *
 *     frame   time  service  rate          entity "cart" ─▶ model ─▶ verdict columns
 *             t0    cart     0.1                  "shop" ─▶ model     of the same frame
 *             t0    shop     0.3
 *             t1    cart     0.2
 *
 * An entity's key is its category values joined by MODEL_SET_SEPARATOR ("" without category
 * fields). Its rows are scored in row order by one thread, different entities by different
 * threads: the verdicts are the same bits whatever the number of threads. A set belongs to one
 * job at a time. */
#ifndef BLIP_MODEL_MODEL_SET_H
#define BLIP_MODEL_MODEL_SET_H

#include "frame/frame.h"
#include "model/model_table.h"

#define MODEL_SET_SEPARATOR '\x1f'  // ASCII unit separator

struct model_set;

/* Creates an empty set; its models get `options` and a seed of their own made from
 * options->seed and the entity. threads: 0 = one per core. STATUS_INVALID as model_new(). */
enum status model_set_new(const struct model_options *options, size_t threads,
                          struct model_set **out, struct error *err);
void model_set_free(struct model_set *set);  // NULL is fine

/* Which columns of a frame a set reads: "time" (INT, milliseconds; a row may have none) and
 * these. */
struct model_set_columns {
    const char *const *features;  // [feature_count] DOUBLE or INT columns
    size_t feature_count;         // = options.features
    const char *const *entity;    // [entity_count] TEXT columns; may be none
    size_t entity_count;
};

/* Scores every row and adds the verdict columns (i counts features from 1):
 *     scored                                   BOOL
 *     score, grade, confidence, threshold, probability       DOUBLE
 *     start_index                              INT, <= 0, the row to blame
 *     cause, cause_feature (from 1), cause_rows, cause_lag   INT, and
 *     cause_amount, cause_distance             DOUBLE: see enum model_cause
 *     expected_i, lower_i, upper_i, contribution_i, past_i   DOUBLE
 *     imputed_i                                BOOL
 *     used_i                                   DOUBLE, the row with missing values filled in
 * What a model did not say is missing. STATUS_INVALID names a column that is absent, of the
 * wrong type or already there, or a row with an infinite value; models that came first may
 * then have learned their rows, so the caller drops the set. */
enum status model_set_score(struct model_set *set, struct frame *f,
                            const struct model_set_columns *columns, struct error *err);

/* Entities of a frame that have no model in memory: the caller may load their snapshots before
 * it scores. Their keys become slots of *absent (an empty table), in order of appearance;
 * model_table_free() frees it, also after a failure. */
enum status model_set_absent(const struct model_set *set, const struct frame *f,
                             const struct model_set_columns *columns,
                             struct model_table *absent, struct error *err);

/* The next model to save of those that changed since they were saved or loaded: they take
 * turns, so that saving a few a time saves all. *at is its position; *entity and *size its key.
 * False when there is none. */
bool model_set_next_changed(const struct model_set *set, size_t *at, const char **entity,
                            size_t *size);

/* Bytes of the model that model_set_next_changed() stopped at; as model_save(). */
enum status model_set_save(const struct model_set *set, size_t at, uint8_t *bytes,
                           size_t capacity, size_t *size, struct error *err);
void model_set_saved(struct model_set *set, size_t at);  // its bytes are safe: not changed

/* Puts a saved model in place of the entity's. Rows of it up to position_ms (INT64_MIN = none)
 * are known to the model: model_set_score() passes over them and leaves their verdicts missing.
 * STATUS_INVALID when the bytes are damaged or are of a model with other options. */
enum status model_set_load(struct model_set *set, const char *entity, size_t entity_size,
                           const uint8_t *bytes, size_t size, int64_t position_ms,
                           struct error *err);

/* The time from which rows have to be scored again to bring what is saved of this set up to
 * where the set is; INT64_MAX when everything is saved. */
int64_t model_set_unsaved_from(const struct model_set *set);

/* Calls visit(context, key, size) for each entity with a model, in order of arrival. */
typedef void (*model_set_visit)(void *context, const char *entity, size_t size);
void model_set_each(const struct model_set *set, model_set_visit visit, void *context);

/* Forgets the least recently scored models that are saved until the set fits into
 * budget_bytes. Returns how many it forgot. */
size_t model_set_trim(struct model_set *set, size_t budget_bytes);

size_t model_set_count(const struct model_set *set);
size_t model_set_size_bytes(const struct model_set *set);

#endif
