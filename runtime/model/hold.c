#include "model/hold.h"
#include <math.h>

#define BAR_WEIGHT 0.3
#define BAR_FADE 0.9993070929904525  // halves in 1000 rows
#define BAR_RISE 2.0                 // the most that one event adds
#define STRONGER 4.0                 // times as strong alerts again
#define LASTING 0.5                  // share of the reference that keeps an event under way

void hold_skip(struct hold *h) {
    if (h->rows == 0) return;
    h->rows--;
    if (h->rows > 0) return;
    h->bar += fmin(h->reference, BAR_RISE);
    h->reference = 0;
}

double hold_grade(struct hold *h, double strength, double threshold) {
    double q = strength / (1 + BAR_WEIGHT * h->bar);
    h->bar *= BAR_FADE;
    hold_skip(h);
    if (q > 0 &&
        (q > STRONGER * h->reference || (q >= threshold && h->reference < threshold))) {
        h->reference = q;
        h->rows = HOLD_ROWS;
        return q / (q + threshold);
    }
    if (h->rows > 0 && q > LASTING * h->reference) h->rows = HOLD_ROWS;
    return 0;
}
