/* model/season_test.h - which seasons a series has.
 * Candidates (a day, a week, days of the week and of the weekend, a year, and the period that
 * autocorrelation shows) are added to what is known, the best first, while F-tests say that
 * chance does not explain the gain and the sets' BIC falls.
 * Source: elastic-model specification, 5.3 and 14.4; Schwarz, "Estimating the dimension of a
 * model", 1978. */
#ifndef BLIP_MODEL_SEASON_TEST_H
#define BLIP_MODEL_SEASON_TEST_H

#include "model/season_fit.h"
#include <stdbool.h>

/* Whether `count` steps of a window can show a season: at least 1.9 repeats of at least two
 * steps each. */
bool season_testable(const struct season *s, double step_s, size_t count);

/* Chooses among what is known and what else the series shows.
 *   known       the seasons at work, all testable on this series
 *   shortest_s  only periods longer than this are looked for; 0 = any
 *   out         the chosen ones; known ones among them are unchanged
 * Takes a fraction of a millisecond and about 60 KB of stack. */
void season_choose(const struct season_series *x, const struct season_set *known,
                   double shortest_s, struct season_set *out);

#endif
