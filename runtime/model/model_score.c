/* model/model_score.c - model_set_score(): rows are sorted by entity, then threads take one
 * entity after the other and write verdicts into the frame's columns.
 *
 *     row of frame     0    1    2    3          entity of row     A B A C
 *     order            0 2 | 1 | 3               rows by entity, in row order
 *                       A    B   C   <- taken from a shared counter by the threads
 *
 * Threads share the frame's arrays, but no cell: a row has one entity, an entity one thread. */
#include "model/model_set_state.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Fewer entities than this for each thread are not worth starting it.
#define ENTITIES_PER_THREAD 8
#define NAME_SIZE 32

// Positions of the verdict columns in the frame; the [] ones hold one for each feature.
struct verdict_columns {
    size_t scored, score, grade, confidence, threshold, probability, start_index, cause;
    size_t cause_feature, cause_rows, cause_lag, cause_amount, cause_distance;
    size_t expected[MODEL_MAX_FEATURES], lower[MODEL_MAX_FEATURES], upper[MODEL_MAX_FEATURES];
    size_t contribution[MODEL_MAX_FEATURES], past[MODEL_MAX_FEATURES];
    size_t imputed[MODEL_MAX_FEATURES], used[MODEL_MAX_FEATURES];
};

struct entity_rows {
    uint32_t slot;
    size_t first, count;  // in order[]
};

struct job {
    struct model_set *set;
    struct frame *f;
    const struct column *time, *features[MODEL_MAX_FEATURES];
    struct verdict_columns to;
    size_t *order;  // row numbers, grouped by entity
    struct entity_rows *entities;
    size_t entity_count;
    atomic_size_t next;  // the entity to take next
    atomic_bool stop;
    pthread_mutex_t lock;  // guards status and error
    enum status status;
    struct error error;
};

// --- columns in and out --------------------------------------------------------------------

static enum status find_typed(const struct frame *f, const char *name, enum column_type type,
                              enum column_type also, const struct column **out,
                              struct error *err) {
    *out = frame_find((struct frame *)f, name);
    if (!*out) return fail(err, STATUS_INVALID, "the frame has no column '%s'", name);
    if ((*out)->type != type && (*out)->type != also)
        return fail(err, STATUS_INVALID, "the column '%s' has the wrong type", name);
    return STATUS_OK;
}

static enum status add_each(struct frame *f, const char *name, enum column_type type,
                            size_t count, size_t *at, struct error *err) {
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        char numbered[NAME_SIZE];
        snprintf(numbered, sizeof numbered, "%s_%zu", name, i + 1);
        status = frame_add_column(f, numbered, type, &at[i], err);
    }
    return status;
}

static enum status add_columns(struct frame *f, size_t features, struct verdict_columns *to,
                               struct error *err) {
    const struct {
        const char *name;
        enum column_type type;
        size_t *at;
        size_t count;  // 0 = one column, not numbered
    } all[] = {
        {"scored", COLUMN_BOOL, &to->scored, 0},
        {"score", COLUMN_DOUBLE, &to->score, 0},
        {"grade", COLUMN_DOUBLE, &to->grade, 0},
        {"confidence", COLUMN_DOUBLE, &to->confidence, 0},
        {"threshold", COLUMN_DOUBLE, &to->threshold, 0},
        {"probability", COLUMN_DOUBLE, &to->probability, 0},
        {"start_index", COLUMN_INT, &to->start_index, 0},
        {"cause", COLUMN_INT, &to->cause, 0},
        {"cause_feature", COLUMN_INT, &to->cause_feature, 0},
        {"cause_rows", COLUMN_INT, &to->cause_rows, 0},
        {"cause_lag", COLUMN_INT, &to->cause_lag, 0},
        {"cause_amount", COLUMN_DOUBLE, &to->cause_amount, 0},
        {"cause_distance", COLUMN_DOUBLE, &to->cause_distance, 0},
        {"expected", COLUMN_DOUBLE, to->expected, features},
        {"lower", COLUMN_DOUBLE, to->lower, features},
        {"upper", COLUMN_DOUBLE, to->upper, features},
        {"contribution", COLUMN_DOUBLE, to->contribution, features},
        {"past", COLUMN_DOUBLE, to->past, features},
        {"imputed", COLUMN_BOOL, to->imputed, features},
        {"used", COLUMN_DOUBLE, to->used, features},
    };
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof all / sizeof *all && status == STATUS_OK; i++)
        status = all[i].count
                     ? add_each(f, all[i].name, all[i].type, all[i].count, all[i].at, err)
                     : frame_add_column(f, all[i].name, all[i].type, all[i].at, err);
    return status;
}

static enum status find_columns(struct job *job, const struct model_set_columns *columns,
                                struct error *err) {
    size_t features = job->set->options.features;
    if (columns->feature_count != features)
        return fail(err, STATUS_INVALID, "the models have %zu features, not %zu", features,
                    columns->feature_count);
    enum status status = add_columns(job->f, features, &job->to, err);
    if (status == STATUS_OK)
        status = find_typed(job->f, "time", COLUMN_INT, COLUMN_INT, &job->time, err);
    for (size_t i = 0; i < features && status == STATUS_OK; i++)
        status = find_typed(job->f, columns->features[i], COLUMN_DOUBLE, COLUMN_INT,
                            &job->features[i], err);
    return status;
}

// --- entities ------------------------------------------------------------------------------

struct key_reader {
    const struct column *columns[MODEL_MAX_FEATURES];
    size_t count;
    char *bytes;  // the key of the row last read
    size_t size, capacity;
};

static enum status key_reader_open(struct key_reader *r, const struct frame *f,
                                   const struct model_set_columns *columns, struct error *err) {
    *r = (struct key_reader){.count = columns->entity_count};
    if (r->count > MODEL_MAX_FEATURES)
        return fail(err, STATUS_INVALID, "%zu category columns are too many", r->count);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < r->count && status == STATUS_OK; i++)
        status =
            find_typed(f, columns->entity[i], COLUMN_TEXT, COLUMN_TEXT, &r->columns[i], err);
    return status;
}

static enum status key_append(struct key_reader *r, const char *text, size_t size,
                              struct error *err) {
    if (r->size + size > r->capacity) {
        size_t capacity = 2 * (r->size + size);
        char *bytes = realloc(r->bytes, capacity);
        if (!bytes) return fail(err, STATUS_NO_MEMORY, "no memory for an entity's key");
        r->bytes = bytes;
        r->capacity = capacity;
    }
    if (size) memcpy(r->bytes + r->size, text, size);
    r->size += size;
    return STATUS_OK;
}

static enum status key_read(struct key_reader *r, size_t row, struct error *err) {
    const char separator = MODEL_SET_SEPARATOR;
    enum status status = STATUS_OK;
    r->size = 0;
    for (size_t i = 0; i < r->count && status == STATUS_OK; i++) {
        size_t size;
        const char *text = column_text(r->columns[i], row, &size);
        if (i) status = key_append(r, &separator, 1, err);
        if (status == STATUS_OK) status = key_append(r, text, size, err);
    }
    return status;
}

// The slot of every row.
static enum status find_slots(struct job *job, const struct model_set_columns *columns,
                              uint32_t *slots, struct error *err) {
    struct key_reader r;
    enum status status = key_reader_open(&r, job->f, columns, err);
    for (size_t row = 0; row < frame_rows(job->f) && status == STATUS_OK; row++) {
        status = key_read(&r, row, err);
        if (status == STATUS_OK)
            status = model_table_add(&job->set->table, r.bytes, r.size, &slots[row], err);
    }
    free(r.bytes);
    return status;
}

// Counting sort of the rows by slot, stable; entities in order of their first row.
static enum status sort_rows(struct job *job, const uint32_t *slots, struct error *err) {
    size_t rows = frame_rows(job->f), slot_count = job->set->table.count;
    size_t *entity_of = calloc(slot_count + 1, sizeof *entity_of);
    job->entities = calloc(slot_count + 1, sizeof *job->entities);
    job->order = malloc((rows + 1) * sizeof *job->order);
    if (!entity_of || !job->entities || !job->order) {
        free(entity_of);
        return fail(err, STATUS_NO_MEMORY, "no memory to sort %zu rows", rows);
    }
    for (size_t i = 0; i < slot_count; i++)
        entity_of[i] = SIZE_MAX;
    for (size_t row = 0; row < rows; row++) {
        if (entity_of[slots[row]] == SIZE_MAX) {
            entity_of[slots[row]] = job->entity_count;
            job->entities[job->entity_count++] = (struct entity_rows){.slot = slots[row]};
        }
        job->entities[entity_of[slots[row]]].count++;
    }
    size_t first = 0;
    for (size_t i = 0; i < job->entity_count; i++) {
        job->entities[i].first = first;
        first += job->entities[i].count;
        job->entities[i].count = 0;
    }
    for (size_t row = 0; row < rows; row++) {
        struct entity_rows *e = &job->entities[entity_of[slots[row]]];
        job->order[e->first + e->count++] = row;
    }
    free(entity_of);
    return STATUS_OK;
}

static enum status group_rows(struct job *job, const struct model_set_columns *columns,
                              struct error *err) {
    uint32_t *slots = calloc(frame_rows(job->f) + 1, sizeof *slots);
    if (!slots)
        return fail(err, STATUS_NO_MEMORY, "no memory for %zu rows", frame_rows(job->f));
    enum status status = find_slots(job, columns, slots, err);
    if (status == STATUS_OK) status = sort_rows(job, slots, err);
    free(slots);
    return status;
}

// --- scoring -------------------------------------------------------------------------------

// One thread's verdict and the arrays it points into.
struct bench {
    struct verdict verdict;
    double values[MODEL_MAX_FEATURES];
    double expected[MODEL_MAX_FEATURES], lower[MODEL_MAX_FEATURES], upper[MODEL_MAX_FEATURES];
    double contribution[MODEL_MAX_FEATURES], past[MODEL_MAX_FEATURES];
    double used[MODEL_MAX_FEATURES];
    uint8_t imputed[MODEL_MAX_FEATURES];
};

static void write_cause(const struct job *job, size_t row, const struct verdict *v) {
    const struct verdict_columns *to = &job->to;
    frame_set_int(job->f, to->cause, row, v->cause);
    if (v->cause == MODEL_CAUSE_NONE) return;
    frame_set_int(job->f, to->cause_feature, row, v->cause_feature + 1);
    frame_set_int(job->f, to->cause_rows, row, v->cause_rows);
    frame_set_int(job->f, to->cause_lag, row, v->cause_lag);
    frame_set_double(job->f, to->cause_amount, row, v->cause_amount);
    frame_set_double(job->f, to->cause_distance, row, v->cause_distance);
}

static void write_verdict(const struct job *job, size_t row, const struct verdict *v) {
    const struct verdict_columns *to = &job->to;
    struct frame *f = job->f;
    frame_set_int(f, to->scored, row, v->scored);
    frame_set_double(f, to->score, row, v->score);
    frame_set_double(f, to->grade, row, v->scored ? v->grade : NAN);
    frame_set_double(f, to->confidence, row, v->confidence);
    frame_set_double(f, to->threshold, row, v->threshold);
    frame_set_double(f, to->probability, row, v->probability);
    if (v->scored) frame_set_int(f, to->start_index, row, v->relative_index);
    if (v->scored) write_cause(job, row, v);
    for (size_t i = 0; i < job->set->options.features; i++) {
        if (v->has_expected) {
            frame_set_double(f, to->expected[i], row, v->expected[i]);
            frame_set_double(f, to->lower[i], row, v->lower[i]);
            frame_set_double(f, to->upper[i], row, v->upper[i]);
        }
        if (v->grade > 0) frame_set_double(f, to->contribution[i], row, v->contribution[i]);
        if (v->has_past) frame_set_double(f, to->past[i], row, v->past[i]);
        frame_set_int(f, to->imputed[i], row, v->imputed[i]);
        frame_set_double(f, to->used[i], row, v->used[i]);
    }
}

static double read_feature(const struct column *c, size_t row) {
    if (column_missing(c, row)) return NAN;
    return c->type == COLUMN_DOUBLE ? c->doubles[row] : (double)c->ints[row];
}

static int64_t read_time(const struct column *c, size_t row) {
    return column_missing(c, row) ? MODEL_NO_TIME : c->ints[row];
}

static enum status score_row(const struct job *job, struct model_slot *slot, size_t row,
                             struct bench *bench, struct error *err) {
    int64_t time_ms = read_time(job->time, row);
    if (time_ms <= slot->known_ms && time_ms != MODEL_NO_TIME) return STATUS_OK;
    for (size_t k = 0; k < job->set->options.features; k++)
        bench->values[k] = read_feature(job->features[k], row);
    enum status status = model_push(slot->model, time_ms, bench->values, &bench->verdict, err);
    if (status != STATUS_OK) return status;
    write_verdict(job, row, &bench->verdict);
    if (slot->first_ms == INT64_MIN) slot->first_ms = time_ms;
    if (time_ms != MODEL_NO_TIME) slot->last_ms = time_ms;
    slot->changed = true;
    return STATUS_OK;
}

static enum status score_entity(const struct job *job, const struct entity_rows *entity,
                                struct bench *bench, struct error *err) {
    struct model_slot *slot = &job->set->table.slots[entity->slot];
    enum status status = model_set_model(job->set, slot, err);
    for (size_t i = 0; i < entity->count && status == STATUS_OK; i++)
        status = score_row(job, slot, job->order[entity->first + i], bench, err);
    slot->used = job->set->clock;
    if (slot->model) slot->size_bytes = model_size_bytes(slot->model);
    return status;
}

static void keep_error(struct job *job, enum status status, const struct error *err) {
    pthread_mutex_lock(&job->lock);
    if (job->status == STATUS_OK) {
        job->status = status;
        job->error = *err;
    }
    pthread_mutex_unlock(&job->lock);
    atomic_store(&job->stop, true);
}

static void *score_entities(void *context) {
    struct job *job = context;
    struct bench bench;
    bench.verdict = (struct verdict){.expected = bench.expected,
                                     .lower = bench.lower,
                                     .upper = bench.upper,
                                     .past = bench.past,
                                     .contribution = bench.contribution,
                                     .imputed = bench.imputed,
                                     .used = bench.used};
    while (!atomic_load(&job->stop)) {
        size_t at = atomic_fetch_add(&job->next, 1);
        if (at >= job->entity_count) break;
        struct error err;
        enum status status = score_entity(job, &job->entities[at], &bench, &err);
        if (status != STATUS_OK) keep_error(job, status, &err);
    }
    return NULL;
}

// The calling thread works too; a thread that cannot start leaves its share to the others.
static void run_threads(struct job *job) {
    size_t wanted = job->entity_count / ENTITIES_PER_THREAD + 1;
    size_t extra = (wanted < job->set->threads ? wanted : job->set->threads) - 1;
    pthread_t *threads = extra ? malloc(extra * sizeof *threads) : NULL;
    size_t started = 0;
    while (threads && started < extra &&
           pthread_create(&threads[started], NULL, score_entities, job) == 0)
        started++;
    score_entities(job);
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    free(threads);
}

enum status model_set_score(struct model_set *set, struct frame *f,
                            const struct model_set_columns *columns, struct error *err) {
    struct job job = {.set = set, .f = f, .lock = PTHREAD_MUTEX_INITIALIZER};
    set->clock++;
    enum status status = find_columns(&job, columns, err);
    if (status == STATUS_OK) status = group_rows(&job, columns, err);
    if (status == STATUS_OK) {
        run_threads(&job);
        status = job.status;
        if (status != STATUS_OK && err) *err = job.error;
    }
    free(job.order);
    free(job.entities);
    return status;
}

enum status model_set_absent(const struct model_set *set, const struct frame *f,
                             const struct model_set_columns *columns,
                             struct model_table *absent, struct error *err) {
    struct key_reader r;
    enum status status = key_reader_open(&r, f, columns, err);
    for (size_t row = 0; row < frame_rows(f) && status == STATUS_OK; row++) {
        status = key_read(&r, row, err);
        if (status != STATUS_OK) break;
        uint32_t at = model_table_find(&set->table, r.bytes, r.size);
        if (at == MODEL_TABLE_NONE || !set->table.slots[at].model)
            status = model_table_add(absent, r.bytes, r.size, &at, err);
    }
    free(r.bytes);
    return status;
}
