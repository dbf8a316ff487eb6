/* model/model_class.h - what a kind of model must know. One file per kind exports one of these
 * and model.c lists it; everybody else sees model.h only. */
#ifndef BLIP_MODEL_MODEL_CLASS_H
#define BLIP_MODEL_MODEL_CLASS_H

#include "model/model.h"
#include "model/pack.h"

struct model_class {
    const char *name;  // "forest", as scripts say it

    /* Sets the options that this kind reads; kind, features, interval_ms and seed are set. */
    void (*defaults)(struct model_options *options);

    /* Refuses options that this kind cannot work with, naming option and value. */
    enum status (*check)(const struct model_options *options, struct error *err);

    /* Allocates the whole model, its `struct model` first (model.c fills that in). */
    enum status (*create)(const struct model_options *options, struct model **out,
                          struct error *err);
    void (*destroy)(struct model *m);

    /* As model_push(); values hold no infinity, out is reset, its arrays may be NULL. */
    enum status (*push)(struct model *m, int64_t time_ms, const double *values,
                        struct verdict *out, struct error *err);

    /* Writes the state (not the options, not the row count). */
    void (*save)(const struct model *m, struct pack *out);

    /* Reads what save() wrote into a model that create() has just made. The bytes passed a
     * checksum, yet must be checked until no value in them can do harm. */
    enum status (*load)(struct model *m, struct unpack *in, struct error *err);

    size_t (*size_bytes)(const struct model *m);
};

/* The head of every model; a kind's own struct begins with one. */
struct model {
    const struct model_class *class;
    struct model_options options;
    uint64_t rows;
};

extern const struct model_class forest_class, ensemble_class;

/* The class of a kind, or NULL; the kind of a name, or -1. */
const struct model_class *model_class_of(enum model_kind kind);
int model_kind_named(const char *name);

#endif
