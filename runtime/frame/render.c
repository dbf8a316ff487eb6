/* frame/render.c - see frame/render.h. A template is a list of steps; a condition that does not
 * hold jumps over its part. */
#include "frame/render.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum step_kind { STEP_LITERAL, STEP_VALUE, STEP_SUM, STEP_WHEN };

struct step {
    enum step_kind kind;
    size_t text, text_size;  // in template.text: the literal, or what stands for missing
    size_t first, count;     // its columns, in template.names
    int decimals;
    int64_t plus;
    enum condition condition;
    double than;
    size_t end;  // STEP_WHEN: the first step behind its part
};

struct name {
    size_t text;     // in template.text, zero-terminated
    int64_t factor;  // STEP_SUM
};

struct template {
    struct bytes text;
    struct step *steps;
    size_t step_count, step_capacity;
    struct name *names;
    size_t name_count, name_capacity;
};

struct template *template_new(void) {
    return calloc(1, sizeof(struct template));
}

void template_free(struct template *t) {
    if (!t) return;
    bytes_free(&t->text);
    free(t->steps);
    free(t->names);
    free(t);
}

// --- compiling -------------------------------------------------------------------------------

// Makes room for one more element; the array may move.
static void *grow(void *array, size_t count, size_t *capacity, size_t size) {
    if (count < *capacity) return array;
    size_t wanted = *capacity ? 2 * *capacity : 16;
    void *moved = realloc(array, wanted * size);
    if (moved) *capacity = wanted;
    return moved;
}

static enum status add_step(struct template *t, const struct step *step, struct error *err) {
    struct step *steps = grow(t->steps, t->step_count, &t->step_capacity, sizeof *steps);
    if (steps) t->steps = steps;  // it may have moved, whatever else failed
    if (!steps || !bytes_ok(&t->text))
        return fail(err, STATUS_NO_MEMORY, "no memory for a template of %zu parts",
                    t->step_count + 1);
    t->steps[t->step_count++] = *step;
    return STATUS_OK;
}

static enum status add_names(struct template *t, const char *const *columns,
                             const int64_t *factors, size_t count, struct step *step,
                             struct error *err) {
    step->first = t->name_count;
    step->count = count;
    for (size_t i = 0; i < count; i++) {
        struct name *names = grow(t->names, t->name_count, &t->name_capacity, sizeof *names);
        if (!names) return fail(err, STATUS_NO_MEMORY, "no memory for a template");
        t->names = names;
        t->names[t->name_count++] = (struct name){t->text.size, factors ? factors[i] : 1};
        bytes_append(&t->text, columns[i], strlen(columns[i]) + 1);
    }
    return STATUS_OK;
}

enum status template_literal(struct template *t, const char *text, size_t size,
                             struct error *err) {
    struct step step = {.kind = STEP_LITERAL, .text = t->text.size, .text_size = size};
    bytes_append(&t->text, text, size);
    return add_step(t, &step, err);
}

enum status template_value(struct template *t, const char *column, int decimals,
                           const char *missing, struct error *err) {
    struct step step = {.kind = STEP_VALUE, .decimals = decimals};
    enum status status = add_names(t, &column, NULL, 1, &step, err);
    if (status != STATUS_OK) return status;
    if (!missing) missing = "null";
    step.text = t->text.size;
    step.text_size = strlen(missing);
    bytes_append(&t->text, missing, step.text_size);
    return add_step(t, &step, err);
}

enum status template_sum(struct template *t, int64_t plus, const char *const *columns,
                         const int64_t *factors, size_t count, struct error *err) {
    struct step step = {.kind = STEP_SUM, .plus = plus};
    enum status status = add_names(t, columns, factors, count, &step, err);
    return status == STATUS_OK ? add_step(t, &step, err) : status;
}

enum status template_when(struct template *t, enum condition condition, double than,
                          const char *const *columns, size_t count, size_t *at,
                          struct error *err) {
    struct step step = {.kind = STEP_WHEN, .condition = condition, .than = than};
    enum status status = add_names(t, columns, NULL, count, &step, err);
    *at = t->step_count;
    return status == STATUS_OK ? add_step(t, &step, err) : status;
}

void template_end(struct template *t, size_t at) { t->steps[at].end = t->step_count; }

// --- rendering -------------------------------------------------------------------------------

static double number_at(const struct column *c, size_t row) {
    return c->type == COLUMN_DOUBLE ? c->doubles[row] : (double)c->ints[row];
}

static bool is_true(const struct column *c, size_t row) {
    return !column_missing(c, row) && c->ints[row] != 0;
}

static bool holds(const struct step *step, const struct column *const *columns, size_t row) {
    bool wanted = step->condition != CONDITION_MISSING && step->condition != CONDITION_ANY;
    for (size_t i = 0; i < step->count; i++) {
        const struct column *c = columns[i];
        bool one = !column_missing(c, row);
        if (step->condition == CONDITION_ANY) one = is_true(c, row);
        if (step->condition == CONDITION_MISSING) one = !one;
        if (step->condition == CONDITION_ABOVE) one = one && number_at(c, row) > step->than;
        if (step->condition == CONDITION_BELOW) one = one && number_at(c, row) < step->than;
        if (one != wanted)
            return one;  // one failure decides "every", one success "at least one"
    }
    return wanted;
}

static double rounded(double value, int decimals) {
    if (decimals < 0) return value;
    double scale = pow(10, decimals), scaled = round(value * scale);
    return isfinite(scaled) ? scaled / scale : value;
}

static void write_value(const struct template *t, const struct step *step,
                        const struct column *c, size_t row, struct bytes *out) {
    size_t size;
    if (column_missing(c, row))
        bytes_append(out, t->text.data + step->text, step->text_size);
    else if (c->type == COLUMN_DOUBLE)
        bytes_append_double(out, rounded(c->doubles[row], step->decimals));
    else if (c->type == COLUMN_INT)
        bytes_append_int(out, c->ints[row]);
    else if (c->type == COLUMN_BOOL)
        bytes_append_text(out, c->ints[row] ? "true" : "false");
    else {
        const char *text = column_text(c, row, &size);
        bytes_append_quoted(out, text, size);
    }
}

// Unsigned: a sum that overflows wraps around instead of being undefined.
static int64_t sum_at(const struct template *t, const struct step *step,
                      const struct column *const *columns, size_t row) {
    uint64_t sum = (uint64_t)step->plus;
    for (size_t i = 0; i < step->count; i++)
        if (!column_missing(columns[i], row))
            sum += (uint64_t)t->names[step->first + i].factor * (uint64_t)columns[i]->ints[row];
    return (int64_t)sum;
}

static void render_row(const struct template *t, const struct column *const *columns,
                       size_t row, struct bytes *out) {
    for (size_t at = 0; at < t->step_count;) {
        const struct step *step = &t->steps[at++];
        const struct column *const *mine = columns + step->first;
        if (step->kind == STEP_LITERAL)
            bytes_append(out, t->text.data + step->text, step->text_size);
        else if (step->kind == STEP_VALUE)
            write_value(t, step, *mine, row, out);
        else if (step->kind == STEP_SUM)
            bytes_append_int(out, sum_at(t, step, mine, row));
        else if (!holds(step, mine, row))
            at = step->end;
    }
}

static bool fits(const struct step *step, enum column_type type) {
    if (step->kind == STEP_SUM) return type == COLUMN_INT;
    if (step->kind != STEP_WHEN) return true;
    if (step->condition == CONDITION_ANY) return type == COLUMN_BOOL;
    if (step->condition == CONDITION_PRESENT || step->condition == CONDITION_MISSING)
        return true;
    return type == COLUMN_INT || type == COLUMN_DOUBLE;
}

static enum status find_columns(const struct template *t, const struct frame *f,
                                const struct column **columns, struct error *err) {
    for (size_t at = 0; at < t->step_count; at++) {
        const struct step *step = &t->steps[at];
        for (size_t i = step->first; i < step->first + step->count; i++) {
            const char *name = t->text.data + t->names[i].text;
            columns[i] = frame_find(f, name);
            if (!columns[i])
                return fail(err, STATUS_INVALID, "the frame has no column '%s'", name);
            if (!fits(step, columns[i]->type))
                return fail(err, STATUS_INVALID, "the column '%s' has the wrong type", name);
        }
    }
    return STATUS_OK;
}

enum status template_render(const struct template *t, const struct frame *f, struct bytes *out,
                            size_t *documents, struct error *err) {
    *documents = 0;
    const struct column **columns = malloc((t->name_count + 1) * sizeof(*columns));
    if (!columns) return fail(err, STATUS_NO_MEMORY, "no memory to render documents");
    enum status status = find_columns(t, f, columns, err);
    for (size_t row = 0; status == STATUS_OK && row < frame_rows(f); row++) {
        size_t before = out->size;
        render_row(t, columns, row, out);
        if (out->size == before) continue;
        bytes_append_char(out, '\n');
        ++*documents;
    }
    free(columns);
    if (status == STATUS_OK && !bytes_ok(out))
        return fail(err, STATUS_NO_MEMORY, "no memory for %zu documents", frame_rows(f));
    return status;
}
