/* model/forest_model.c - the class of kind MODEL_FOREST: a random cut forest with a threshold.
 */
#include "model/model_class.h"

#include <stdlib.h>

static void defaults(struct model_options *o) {
    o->shingle = 8;
    o->trees = 50;
    o->samples = 256;
    o->time_decay = 1.0 / 2560;
    o->output_after = 32;
    o->initial_accept = 0.125;
    o->z_factor = 3;
    o->anomaly_rate = 0.005;
    o->auto_adjust = o->alert_once = true;
    o->transform = TRANSFORM_NORMALIZE;
    o->impute = IMPUTE_PREVIOUS;
}

static enum status check(const struct model_options *o, struct error *err) {
    if (o->shingle < 1 || o->shingle > 128)
        return fail(err, STATUS_INVALID, "shingle must be 1 to 128, not %zu", o->shingle);
    return STATUS_OK;
}

static enum status create(const struct model_options *options, struct model **out,
                          struct error *err) {
    (void)options;
    *out = calloc(1, sizeof **out);
    return *out ? STATUS_OK : fail(err, STATUS_NO_MEMORY, "no memory for a forest");
}

static void destroy(struct model *m) { free(m); }

static enum status push(struct model *m, int64_t time_ms, const double *values,
                        struct verdict *out, struct error *err) {
    (void)m, (void)time_ms, (void)values, (void)err;
    out->scored = false;
    return STATUS_OK;
}

static void save(const struct model *m, struct pack *out) { (void)m, (void)out; }

static enum status load(struct model *m, struct unpack *in, struct error *err) {
    (void)m, (void)in, (void)err;
    return STATUS_OK;
}

static size_t size_bytes(const struct model *m) { return sizeof *m; }

const struct model_class forest_class = {
    .name = "forest",
    .defaults = defaults,
    .check = check,
    .create = create,
    .destroy = destroy,
    .push = push,
    .save = save,
    .load = load,
    .size_bytes = size_bytes,
};
