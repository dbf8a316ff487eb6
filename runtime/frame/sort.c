/* frame/sort.c - see frame/sort.h. */
#include "frame/sort.h"

#include <stdlib.h>
#include <string.h>

struct sorting {
    const struct frame *frame;
    const struct frame_order *keys;
    size_t count;
};

static int compare_text(const struct column *c, size_t a, size_t b) {
    size_t a_size, b_size;
    const char *a_text = column_text(c, a, &a_size), *b_text = column_text(c, b, &b_size);
    int order = memcmp(a_text, b_text, a_size < b_size ? a_size : b_size);
    return order ? order : (a_size > b_size) - (a_size < b_size);
}

static int compare_values(const struct column *c, size_t a, size_t b) {
    if (c->type == COLUMN_TEXT) return compare_text(c, a, b);
    if (c->type == COLUMN_DOUBLE)
        return (c->doubles[a] > c->doubles[b]) - (c->doubles[a] < c->doubles[b]);
    return (c->ints[a] > c->ints[b]) - (c->ints[a] < c->ints[b]);
}

static int compare_rows(const void *left, const void *right, void *context) {
    const struct sorting *sorting = context;
    size_t a = *(const size_t *)left, b = *(const size_t *)right;
    for (size_t i = 0; i < sorting->count; i++) {
        const struct column *c = frame_column_const(sorting->frame, sorting->keys[i].column);
        bool a_missing = column_missing(c, a), b_missing = column_missing(c, b);
        if (a_missing && b_missing) continue;
        if (a_missing || b_missing) return a_missing ? 1 : -1;
        int order = compare_values(c, a, b);
        if (order) return sorting->keys[i].descending ? -order : order;
    }
    return a < b ? -1 : a > b;  // rows that tie stay in their order
}

enum status frame_sort(struct frame *f, const struct frame_order *keys, size_t count,
                       struct error *err) {
    size_t rows = frame_rows(f);
    size_t *order = malloc((rows ? rows : 1) * sizeof *order);
    if (!order) return fail(err, STATUS_NO_MEMORY, "no memory to sort %zu rows", rows);
    for (size_t row = 0; row < rows; row++)
        order[row] = row;
    struct sorting sorting = {f, keys, count};
    qsort_r(order, rows, sizeof *order, compare_rows, &sorting);
    enum status status = frame_take(f, order, rows, err);
    free(order);
    return status;
}
