#include "model/modes.h"

#include "model/chance.h"
#include "model/special.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define GAIN 6.0          // by which two modes must be better than one, in BIC
#define LEAST_SHARE 0.03  // of a mode
#define LIGHTEST 1e-6     // a point of less weight is forgotten
#define HEAVIEST 1e9      // a value of more weight counts as this
#define FARTHEST 1e6      // of a point
#define PI 3.14159265358979323846

void modes_start(struct modes *m, int dimensions, double period, double narrowest,
                 double fewest) {
    *m = (struct modes){
        .dimensions = dimensions, .period = period, .narrowest = narrowest, .fewest = fewest};
}

// --- points ----------------------------------------------------------------------------------

/* b - a, on a circle by the shorter way. */
static double way(const struct modes *m, double a, double b) {
    double d = b - a;
    return m->period > 0 ? d - m->period * round(d / m->period) : d;
}

static double wrapped(const struct modes *m, double x) {
    if (m->period <= 0) return x;
    double rest = fmod(x, m->period);
    return rest < 0 ? rest + m->period : rest;
}

static void difference(const struct modes *m, const double *a, const double *b, double *d) {
    d[0] = way(m, a[0], b[0]);
    d[1] = m->dimensions > 1 ? b[1] - a[1] : 0;
}

/* What two points are as one. */
static struct modes_point joined(const struct modes *m, const struct modes_point *a,
                                 const struct modes_point *b) {
    struct modes_point both = {.weight = a->weight + b->weight};
    double d[2], part = b->weight / both.weight, common = a->weight * part;
    difference(m, a->mean, b->mean, d);
    both.mean[0] = a->mean[0] + part * d[0];
    both.mean[1] = a->mean[1] + part * d[1];
    both.scatter[0] = a->scatter[0] + b->scatter[0] + common * d[0] * d[0];
    both.scatter[1] = a->scatter[1] + b->scatter[1] + common * d[0] * d[1];
    both.scatter[2] = a->scatter[2] + b->scatter[2] + common * d[1] * d[1];
    return both;
}

/* What joining two points adds to the scatter. */
static double cost(const struct modes *m, const struct modes_point *a,
                   const struct modes_point *b) {
    double d[2];
    difference(m, a->mean, b->mean, d);
    return a->weight * b->weight / (a->weight + b->weight) * (d[0] * d[0] + d[1] * d[1]);
}

static void take_out(struct modes *m, size_t i) {
    memmove(&m->points[i], &m->points[i + 1], (m->count - i - 1) * sizeof *m->points);
    m->count--;
}

static void put_in(struct modes *m, struct modes_point point) {
    point.mean[0] = wrapped(m, point.mean[0]);
    size_t i = 0;
    while (i < m->count && m->points[i].mean[0] < point.mean[0])
        i++;
    memmove(&m->points[i + 1], &m->points[i], (m->count - i) * sizeof *m->points);
    m->points[i] = point;
    m->count++;
}

/* Joins the pair that costs least. */
static void join_nearest(struct modes *m) {
    size_t first = 0, second = 1;
    double least = INFINITY;
    for (size_t i = 0; i < m->count; i++) {
        // in one dimension only neighbours can be nearest, the last and the first on a circle
        size_t end = m->dimensions > 1 ? m->count : i + 2 < m->count ? i + 2 : m->count;
        for (size_t k = i + 1; k < end; k++) {
            double c = cost(m, &m->points[i], &m->points[k]);
            if (c < least) least = c, first = i, second = k;
        }
    }
    if (m->period > 0 && cost(m, &m->points[m->count - 1], &m->points[0]) < least)
        first = 0, second = m->count - 1;
    struct modes_point both = joined(m, &m->points[first], &m->points[second]);
    take_out(m, second);
    take_out(m, first);
    put_in(m, both);
}

void modes_learn(struct modes *m, const double *value, double weight) {
    if (!(weight > 0)) return;
    weight = fmin(weight, HEAVIEST);
    struct modes_point point = {.weight = weight, .mean = {wrapped(m, value[0]), 0}};
    if (m->dimensions > 1) point.mean[1] = value[1];
    for (size_t i = 0; i < m->count; i++)
        if (m->points[i].mean[0] == point.mean[0] && m->points[i].mean[1] == point.mean[1]) {
            m->points[i].weight += weight;
            return;
        }
    if (m->count == MODES_POINTS) join_nearest(m);
    put_in(m, point);
}

void modes_age(struct modes *m, double keep) {
    size_t to = 0;
    for (size_t i = 0; i < m->count; i++) {
        struct modes_point *p = &m->points[i];
        p->weight *= keep;
        for (int k = 0; k < 3; k++)
            p->scatter[k] *= keep;
        if (p->weight >= LIGHTEST) m->points[to++] = *p;
    }
    m->count = to;
}

double modes_weight(const struct modes *m) {
    double sum = 0;
    for (size_t i = 0; i < m->count; i++)
        sum += m->points[i].weight;
    return sum;
}

// --- splitting -------------------------------------------------------------------------------

static struct modes_point join_all(const struct modes *m, const struct modes_point *points,
                                   size_t count) {
    struct modes_point all = points[0];
    for (size_t i = 1; i < count; i++)
        all = joined(m, &all, &points[i]);
    return all;
}

/* ln of the determinant of a point's covariance, never narrower than the narrowest. */
static double ln_spread(const struct modes *m, const struct modes_point *p) {
    double least = m->narrowest * m->narrowest;
    double xx = p->scatter[0] / p->weight + least, yy = p->scatter[2] / p->weight + least;
    if (m->dimensions == 1) return log(xx);
    double xy = p->scatter[1] / p->weight;
    return log(fmax(xx * yy - xy * xy, least * least));
}

/* Minus twice the log-likelihood of a group as one mode of `total`, constants left out. */
static double surprise(const struct modes *m, const struct modes_point *p, double total) {
    return p->weight * (ln_spread(m, p) - 2 * log(p->weight / total));
}

static int by_x(const void *left, const void *right) {
    const struct modes_point *a = left, *b = right;
    return (a->mean[0] > b->mean[0]) - (a->mean[0] < b->mean[0]);
}

static int by_y(const void *left, const void *right) {
    const struct modes_point *a = left, *b = right;
    return (a->mean[1] > b->mean[1]) - (a->mean[1] < b->mean[1]);
}

/* The best place to cut the points in their present order, 0 when none is good enough; *gain
 * is then what it must beat and becomes what it gives. */
static size_t best_cut(const struct modes *m, const struct modes_point *points, size_t count,
                       double total, double *gain) {
    struct modes_point right[MODES_POINTS], left = points[0];
    right[count - 1] = points[count - 1];
    for (size_t i = count - 1; i-- > 0;)
        right[i] = joined(m, &points[i], &right[i + 1]);
    double fewest = fmax(m->fewest, LEAST_SHARE * total);
    double whole = surprise(m, &right[0], total), price = m->dimensions > 1 ? 6 : 3;
    size_t best = 0;
    for (size_t i = 1; i < count; i++) {
        double parts = surprise(m, &left, total) + surprise(m, &right[i], total);
        double better = whole - parts - price * log(right[0].weight);
        bool enough = left.weight >= fewest && right[i].weight >= fewest;
        if (enough && better >= GAIN && better > *gain) *gain = better, best = i;
        left = joined(m, &left, &points[i]);
    }
    return best;
}

/* The best cut along either axis; the points are left in the order that it cuts. */
static size_t find_cut(const struct modes *m, struct modes_point *points, size_t count,
                       double total) {
    double gain = 0;
    if (m->dimensions == 1) return best_cut(m, points, count, total, &gain);
    qsort(points, count, sizeof *points, by_x);
    size_t along_x = best_cut(m, points, count, total, &gain);
    qsort(points, count, sizeof *points, by_y);
    size_t along_y = best_cut(m, points, count, total, &gain);
    if (!along_y) qsort(points, count, sizeof *points, by_x);
    return along_y ? along_y : along_x;
}

/* Splits as long as it pays, `spare` times at most; a group that stays becomes a mode. */
static void split(const struct modes *m, struct modes_point *points, size_t count, double total,
                  struct modes_fit *fit, size_t spare) {
    size_t cut = spare ? find_cut(m, points, count, total) : 0;
    if (!cut) {
        fit->mode[fit->count++].point = join_all(m, points, count);
        return;
    }
    size_t before = fit->count;
    split(m, points, cut, total, fit, spare / 2);
    size_t used = fit->count - before - 1;
    split(m, &points[cut], count - cut, total, fit, spare - 1 - used);
}

/* Copies the points in an order that cuts a circle where it is emptiest. */
static void unroll(const struct modes *m, struct modes_point *points) {
    size_t from = 0;
    double widest = -1;
    for (size_t i = 0; m->period > 0 && i < m->count; i++) {
        size_t before = (i + m->count - 1) % m->count;
        double gap = wrapped(m, m->points[i].mean[0] - m->points[before].mean[0]);
        if (m->count == 1) gap = m->period;
        if (gap > widest) widest = gap, from = i;
    }
    for (size_t i = 0; i < m->count; i++) {
        points[i] = m->points[(from + i) % m->count];
        if (from + i >= m->count) points[i].mean[0] += m->period;
    }
}

// --- what is predicted -----------------------------------------------------------------------

static double determinant(const struct modes_fit *fit, const struct modes_mode *mode) {
    if (fit->modes->dimensions == 1) return mode->scale[0];
    return mode->scale[0] * mode->scale[2] - mode->scale[1] * mode->scale[1];
}

/* ln of the t density at its centre. */
static double ln_peak(const struct modes_fit *fit, const struct modes_mode *mode) {
    double nu = mode->freedom, d = fit->modes->dimensions;
    return special_ln_gamma((nu + d) / 2) - special_ln_gamma(nu / 2) - d / 2 * log(nu * PI) -
           log(determinant(fit, mode)) / 2;
}

static void predict(struct modes_fit *fit, struct modes_mode *mode, double total) {
    const struct modes *m = fit->modes;
    const struct modes_point *p = &mode->point;
    double n = p->weight, least = m->narrowest * m->narrowest;
    mode->share = n / total;
    mode->freedom = n + 2;
    double unit = (n + 1) / n / mode->freedom;
    mode->scale[0] = unit * (p->scatter[0] + (n + 2) * least);
    mode->scale[1] = unit * p->scatter[1];
    mode->scale[2] = unit * (p->scatter[2] + (n + 2) * least);
    mode->ln_density = log(mode->share) + ln_peak(fit, mode);
}

void modes_fit(const struct modes *m, struct modes_fit *fit) {
    fit->modes = m;
    fit->count = 0;
    if (m->count == 0) return;
    struct modes_point points[MODES_POINTS];
    unroll(m, points);
    double total = modes_weight(m);
    split(m, points, m->count, total, fit, MODES_MAX - 1);
    for (size_t i = 0; i < fit->count; i++)
        predict(fit, &fit->mode[i], total);
}

/* The squared distance from a mode's centre, in its own scale. */
static double distance(const struct modes_fit *fit, const struct modes_mode *mode,
                       const double *value) {
    double d[2];
    difference(fit->modes, mode->point.mean, value, d);
    if (fit->modes->dimensions == 1) return d[0] * d[0] / mode->scale[0];
    double sum = mode->scale[2] * d[0] * d[0] - 2 * mode->scale[1] * d[0] * d[1] +
                 mode->scale[0] * d[1] * d[1];
    return sum / determinant(fit, mode);
}

static double ln_density(const struct modes_fit *fit, const double *value) {
    double most = -INFINITY, sum = 0, d = fit->modes->dimensions, each[MODES_MAX];
    for (size_t i = 0; i < fit->count; i++) {
        const struct modes_mode *mode = &fit->mode[i];
        each[i] = mode->ln_density -
                  (mode->freedom + d) / 2 * log1p(distance(fit, mode, value) / mode->freedom);
        most = fmax(most, each[i]);
    }
    for (size_t i = 0; i < fit->count; i++)
        sum += exp(each[i] - most);
    return most + log(sum);
}

/* ln of a mode's mass outside the contour where its part of the density falls to this. */
static double ln_outside(const struct modes_fit *fit, const struct modes_mode *mode,
                         double ln_level) {
    double nu = mode->freedom, d = fit->modes->dimensions;
    if (ln_level >= mode->ln_density) return 0;
    double power = 2 * (mode->ln_density - ln_level) / (nu + d);  // ln(1 + distance / nu)
    if (d > 1) return -nu / 2 * power;
    return fmin(log(2) + special_ln_t_above(nu, sqrt(nu * expm1(power))), 0);
}

double modes_probability(const struct modes_fit *fit, const double *value) {
    if (fit->count == 0) return 1;
    double level = ln_density(fit, value), sum = 0;
    for (size_t i = 0; i < fit->count; i++)
        sum += fit->mode[i].share * exp(ln_outside(fit, &fit->mode[i], level));
    return fmin(fmax(sum, CHANCE_SMALLEST), 1);
}

void modes_nearest(const struct modes_fit *fit, const double *value, double *centre) {
    const double *mean = value;
    double least = INFINITY;
    for (size_t i = 0; i < fit->count; i++) {
        double d = distance(fit, &fit->mode[i], value);
        if (d < least) least = d, mean = fit->mode[i].point.mean;
    }
    centre[0] = wrapped(fit->modes, mean[0]);
    if (fit->modes->dimensions > 1) centre[1] = mean[1];
}

// --- bytes -----------------------------------------------------------------------------------

void modes_save(const struct modes *m, struct pack *to) {
    pack_u32(to, (uint32_t)m->count);
    for (size_t i = 0; i < m->count; i++) {
        const struct modes_point *p = &m->points[i];
        pack_f64(to, p->weight);
        for (int k = 0; k < m->dimensions; k++)
            pack_f64(to, p->mean[k]);
        for (int k = 0; k < (m->dimensions > 1 ? 3 : 1); k++)
            pack_f64(to, p->scatter[k]);
    }
}

static bool load_point(struct modes *m, struct unpack *from, struct modes_point *p) {
    *p = (struct modes_point){.weight = unpack_f64(from)};
    for (int k = 0; k < m->dimensions; k++)
        p->mean[k] = unpack_f64(from);
    for (int k = 0; k < (m->dimensions > 1 ? 3 : 1); k++)
        p->scatter[k] = unpack_f64(from);
    bool sound = p->weight > 0 && p->weight < 1e15 && fabs(p->mean[0]) < FARTHEST &&
                 fabs(p->mean[1]) < FARTHEST && p->scatter[0] >= 0 && p->scatter[2] >= 0;
    for (int k = 0; k < 3; k++)
        sound = sound && fabs(p->scatter[k]) < 1e30;
    return sound && !from->failed;
}

enum status modes_load(struct modes *m, struct unpack *from, struct error *err) {
    m->count = 0;
    uint32_t count = unpack_u32(from);
    if (from->failed || count > MODES_POINTS)
        return fail(err, STATUS_INVALID, "no saved modes");
    for (size_t i = 0; i < count; i++) {
        bool ordered = load_point(m, from, &m->points[i]) &&
                       (i == 0 || m->points[i - 1].mean[0] <= m->points[i].mean[0]);
        if (!ordered) return fail(err, STATUS_INVALID, "the saved modes are damaged");
    }
    m->count = count;
    return STATUS_OK;
}
