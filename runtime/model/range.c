#include "model/range.h"
#include <math.h>

#define MOST 1000.0     // however narrow the range was
#define CONSTANT 1e-12  // a width of this share of the values' size is rounding

void range_learn(struct range *r, double value) {
    r->low = r->count ? fmin(r->low, value) : value;
    r->high = r->count ? fmax(r->high, value) : value;
    r->sum += value;
    r->squares += value * value;
    r->count++;
}

double range_deviation(const struct range *r) {
    if (r->count == 0) return 0;
    double mean = r->sum / (double)r->count;
    return sqrt(fmax(r->squares / (double)r->count - mean * mean, 0));
}

double range_excess(const struct range *r, double value) {
    if (r->count == 0) return 0;
    double excess = fmax(fmax(value - r->high, r->low - value), 0);
    if (excess == 0) return 0;
    double width = r->high - r->low;
    return width > 0 ? fmin(log2(1 + excess / width), MOST) : 1;
}

double range_weight(const struct range *r, double first) {
    if (r->count == 0) return 0;
    double width = r->high - r->low, mean = first + r->sum / (double)r->count;
    double product = range_deviation(r) * width;
    if (width <= CONSTANT * (fabs(mean) + fabs(first)) || product <= 0) return 0;
    return 1 / product;
}
