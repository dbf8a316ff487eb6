/* model/corrector_trial.h - the trial of a point with a positive grade; for corrector.c. */
#ifndef BLIP_MODEL_CORRECTOR_TRIAL_H
#define BLIP_MODEL_CORRECTOR_TRIAL_H

#include "model/corrector.h"

/* Steps 4 to 9: may set out->grade to 0 and out->mode; with a grade fills index, contribution,
 * tolerance and, when the forest can tell, the expected point. *corrected becomes the score
 * without what the past explains. STATUS_NO_MEMORY. */
enum status corrector_try(const struct corrector *c, const struct corrector_input *in,
                          struct corrector_answer *out, double *corrected, struct error *err);

#endif
