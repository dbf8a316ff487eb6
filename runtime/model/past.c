#include "model/past.h"
#include <stdlib.h>
#include <string.h>

enum status past_open(struct past *p, size_t keep, struct error *err) {
    p->keep = keep;
    p->newest = PAST_SLACK;
    p->values = calloc(keep + PAST_SLACK, sizeof *p->values);
    if (!p->values) return fail(err, STATUS_NO_MEMORY, "no memory for %zu past values", keep);
    return STATUS_OK;
}

void past_close(struct past *p) {
    free(p->values);
    p->values = NULL;
}

void past_push(struct past *p, float value) {
    if (p->newest == 0) {
        memmove(&p->values[PAST_SLACK + 1], p->values, (p->keep - 1) * sizeof *p->values);
        p->newest = PAST_SLACK + 1;
    }
    p->values[--p->newest] = value;
}

double past_mean(const struct past *p, size_t rows) {
    const float *now = past_now(p);
    double sum = 0;
    for (size_t i = 0; i < rows; i++)
        sum += (double)now[i];
    return sum / (double)rows;
}

size_t past_bytes(const struct past *p) { return (p->keep + PAST_SLACK) * sizeof *p->values; }
