/* model/outlier.c - see outlier.h. */
#include "model/outlier.h"

#include <math.h>

static const double FAR_TAIL = 1e-5;  // believed least from here on
static const double LEAST = 0.01, LEAST_DERATED = 0.5;

double outlier_weight(double tail, double derate) {
    if (tail >= OUTLIER_TAIL) return 1;
    double least = LEAST + (LEAST_DERATED - LEAST) * derate;
    if (tail <= FAR_TAIL) return least;
    double near = log(OUTLIER_TAIL), far = log(FAR_TAIL), x = log(tail);
    return exp(log(least) * x * (x - near) / (far * (far - near)));
}
