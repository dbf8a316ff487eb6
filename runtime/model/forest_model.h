/* model/forest_model.h - a look inside a model of kind MODEL_FOREST, for specs and the curious.
 */
#ifndef BLIP_MODEL_FOREST_MODEL_H
#define BLIP_MODEL_FOREST_MODEL_H

#include "model/forest.h"
#include "model/model.h"

/* The trees of a model; NULL when it is of another kind. Good as long as the model, and only to
 * look at. */
const struct forest *forest_model_forest(const struct model *m);

/* How the next row's values become coordinates: shift and scale [features]. False, and nothing
 * filled, when the model is of another kind. */
bool forest_model_scales(const struct model *m, double *shift, double *scale);

#endif
