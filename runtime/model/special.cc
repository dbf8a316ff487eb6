/* model/special.cc - see special.h. C++ for Boost.Math: the error policy below makes it answer
 * NaN or infinity where it would throw, and compute in doubles only. */
#include "model/special.h"

#include <boost/math/distributions/students_t.hpp>
#include <boost/math/special_functions/beta.hpp>
#include <boost/math/special_functions/digamma.hpp>
#include <boost/math/special_functions/erf.hpp>
#include <boost/math/special_functions/gamma.hpp>
#include <boost/math/special_functions/trigamma.hpp>
#include <cmath>
#include <limits>

namespace {

namespace bm = boost::math;
namespace bp = boost::math::policies;

using quiet =
    bp::policy<bp::promote_double<false>, bp::domain_error<bp::ignore_error>,
               bp::pole_error<bp::ignore_error>, bp::overflow_error<bp::ignore_error>,
               bp::underflow_error<bp::ignore_error>, bp::evaluation_error<bp::ignore_error>,
               bp::rounding_error<bp::ignore_error>,
               bp::indeterminate_result_error<bp::ignore_error>>;

const double NONE = -std::numeric_limits<double>::infinity();
const double NAN_ = std::numeric_limits<double>::quiet_NaN();
const double HALF_SQRT = 0.70710678118654752440;    // 1 / sqrt 2
const double LN_SQRT_2PI = 0.91893853320467274178;  // ln sqrt(2 pi)
const double PRECISE =
    1e-290;               // above this a probability has all its digits: its logarithm too
const int ROUNDS = 2000;  // of a continued fraction; tails need some dozen

/* One step of Lentz's method: keeps a denominator away from zero. */
double away(double value) { return std::fabs(value) < 1e-300 ? 1e-300 : value; }

/* ln of the continued fraction of Q(a, x) without its prefix; x well above a. */
double ln_gamma_fraction(double a, double x) {
    double b = x + 1 - a, c = 1e300, d = 1 / away(b), h = d;
    for (int i = 1; i < ROUNDS; i++) {
        double an = -i * (i - a);
        b += 2;
        d = 1 / away(an * d + b);
        c = away(b + an / c);
        h *= d * c;
        if (std::fabs(d * c - 1) < 1e-15) break;
    }
    return std::log(h);
}

/* ln of the series of P(a, x) without its prefix; x well below a. */
double ln_gamma_series(double a, double x) {
    double term = 1 / a, sum = term;
    for (int i = 1; i < ROUNDS && term > sum * 1e-17; i++) {
        term *= x / (a + i);
        sum += term;
    }
    return std::log(sum);
}

double ln_gamma_prefix(double a, double x) { return a * std::log(x) - x - special_ln_gamma(a); }

/* ln of the continued fraction of I_x(a, b) without its prefix; x well below its mean. */
double ln_beta_fraction(double a, double b, double x) {
    double c = 1, d = 1 / away(1 - (a + b) * x / (a + 1)), h = d;
    for (int m = 1; m < ROUNDS; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        d = 1 / away(1 + even * d);
        c = away(1 + even / c);
        h *= d * c;
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1 / away(1 + odd * d);
        c = away(1 + odd / c);
        h *= d * c;
        if (std::fabs(d * c - 1) < 1e-15) break;
    }
    return std::log(h);
}

/* ln I_x(a, b) by the fraction, y = 1 - x. */
double ln_beta_tail(double a, double b, double x, double y) {
    return a * std::log(x) + b * std::log(y) - std::log(a) - special_ln_beta(a, b) +
           ln_beta_fraction(a, b, x);
}

/* ln p, which for p near 1 keeps the digits of its complement q. */
double ln_of(double p, double q) { return p > 0.5 ? std::log1p(-q) : std::log(p); }

}  // namespace

// --- gamma functions -------------------------------------------------------------------------

double special_ln_gamma(double x) { return bm::lgamma(x, quiet()); }
double special_digamma(double x) { return bm::digamma(x, quiet()); }
double special_trigamma(double x) { return bm::trigamma(x, quiet()); }

double special_ln_beta(double a, double b) {
    double small = a < b ? a : b, large = a < b ? b : a;
    if (large < 1e4)
        return special_ln_gamma(small) + special_ln_gamma(large) - special_ln_gamma(a + b);
    // The difference of two huge logarithms as one ratio: no digits are lost.
    return special_ln_gamma(small) + std::log(bm::tgamma_delta_ratio(large, small, quiet()));
}

// --- standard normal -------------------------------------------------------------------------

double special_normal_below(double z) { return 0.5 * std::erfc(-z * HALF_SQRT); }
double special_normal_above(double z) { return 0.5 * std::erfc(z * HALF_SQRT); }

double special_ln_normal_above(double z) {
    if (std::isnan(z)) return NAN_;
    if (z < -1) return std::log1p(-special_normal_above(-z));
    if (z < 30) return std::log(special_normal_above(z));
    double r = 1 / (z * z);
    double series = r * (-1 + r * (3 + r * (-15 + r * (105 - r * 945))));
    return -0.5 * z * z - std::log(z) - LN_SQRT_2PI + std::log1p(series);
}

double special_normal_quantile(double p) {
    if (!(p > 0 && p < 1)) return NAN_;
    return p < 0.5 ? -special_normal_quantile_above(p) : special_normal_quantile_above(1 - p);
}

double special_normal_quantile_above(double p) {
    if (!(p > 0 && p < 1)) return NAN_;
    if (p < 1e-300) return special_ln_normal_quantile_above(std::log(p));
    return bm::erfc_inv(2 * p, quiet()) / HALF_SQRT;
}

double special_ln_normal_quantile_above(double ln_p) {
    if (!(ln_p < 0)) return NAN_;
    if (ln_p > -0.5) return -special_normal_quantile_above(-std::expm1(ln_p));
    if (ln_p > -600) return special_normal_quantile_above(std::exp(ln_p));
    double z = std::sqrt(-2 * ln_p);
    for (int i = 0; i < 4; i++)  // Newton on ln P: its slope there is -(z + 1/z) and a little
        z += (special_ln_normal_above(z) - ln_p) / (z + 1 / z);
    return z;
}

// --- incomplete gamma ------------------------------------------------------------------------

double special_gamma_below(double a, double x) { return bm::gamma_p(a, x, quiet()); }
double special_gamma_above(double a, double x) { return bm::gamma_q(a, x, quiet()); }

double special_ln_gamma_below(double a, double x) {
    if (x == 0) return NONE;
    double p = special_gamma_below(a, x);
    if (!(p < PRECISE)) return p > 0.5 ? std::log1p(-special_gamma_above(a, x)) : std::log(p);
    return ln_gamma_prefix(a, x) + ln_gamma_series(a, x);
}

double special_ln_gamma_above(double a, double x) {
    if (std::isinf(x) && x > 0) return NONE;
    double q = special_gamma_above(a, x);
    if (!(q < PRECISE)) return q > 0.5 ? std::log1p(-special_gamma_below(a, x)) : std::log(q);
    return ln_gamma_prefix(a, x) + ln_gamma_fraction(a, x);
}

double special_gamma_quantile(double a, double p) { return bm::gamma_p_inv(a, p, quiet()); }

double special_gamma_quantile_above(double a, double q) {
    return bm::gamma_q_inv(a, q, quiet());
}

// --- incomplete beta -------------------------------------------------------------------------

double special_beta_below(double a, double b, double x) { return bm::ibeta(a, b, x, quiet()); }
double special_beta_above(double a, double b, double x) { return bm::ibetac(a, b, x, quiet()); }

double special_ln_beta_below(double a, double b, double x) {
    if (x == 0) return NONE;
    double p = special_beta_below(a, b, x);
    if (!(p < PRECISE)) return ln_of(p, p > 0.5 ? special_beta_above(a, b, x) : 0);
    return ln_beta_tail(a, b, x, 1 - x);
}

double special_ln_beta_above(double a, double b, double x, double y) {
    if (y == 0) return NONE;
    double q = y < x ? special_beta_below(b, a, y) : special_beta_above(a, b, x);
    if (!(q < PRECISE)) return ln_of(q, q > 0.5 ? special_beta_below(a, b, x) : 0);
    return ln_beta_tail(b, a, y, x);
}

double special_beta_quantile(double a, double b, double p) {
    return bm::ibeta_inv(a, b, p, quiet());
}

// --- Student's t -----------------------------------------------------------------------------

/* Where P(T > t) is had without a beta integral, five times as fast and within 5e-9 of its
 * size: each series of a job asks for it several times a bucket. */
static bool is_near(double freedom, double t) {
    return freedom >= 1 && t * t <= 0.8 * freedom && std::fabs(t) <= 30;
}

double special_t_above_about(double freedom, double t) {
    double a = freedom - 0.5, b = 48 * a * a, y = a * std::log1p(t * t / freedom);
    double step = (((-0.4 * y - 3.3) * y - 24) * y - 85.5) / (0.8 * y * y + 100 + b) + y + 3;
    return 0.5 * std::erfc((step / b + 1) * std::sqrt(y) * HALF_SQRT);
}

/* Gamma(a + 1/2) / Gamma(a) for a from 10 on, within 1e-9. */
static double half_step(double a) {
    double r = 1 / a;
    return std::sqrt(a) *
           (1 + r * (-1.0 / 8 + r * (1.0 / 128 + r * (5.0 / 1024 + r * (-21.0 / 32768 -
                                                                        r * 399 / 262144)))));
}

/* The tail of few degrees is that of twenty or more at the same x = freedom / (freedom + t^2)
 * and the terms between (Abramowitz, Stegun 26.5.16): I_x(a, 1/2) = I_x(a + 1, 1/2) + x^a (1 -
 * x)^(1/2) / (a B(a, 1/2)) */
static double near_tail(double freedom, double t) {
    const double INVERSE_SQRT_PI = 0.56418958354775628695;
    if (freedom >= 20) return special_t_above_about(freedom, t);
    int steps = static_cast<int>((21.999 - freedom) / 2);
    double x = freedom / (freedom + t * t), y = t * t / (freedom + t * t);
    double a = freedom / 2 + steps;
    double term = std::pow(x, a) * std::sqrt(y) * half_step(a) / a * INVERSE_SQRT_PI, sum = 0;
    for (int i = 0; i < steps; i++) {
        term *= a / (x * (a - 0.5));
        sum += term;
        a -= 1;
    }
    double raised = freedom + 2 * steps;
    return special_t_above_about(raised, std::sqrt(raised * y / x)) + sum / 2;
}

double special_t_below(double freedom, double t) {
    double tail = is_near(freedom, t) ? near_tail(freedom, std::fabs(t))
                                      : std::exp(special_ln_t_above(freedom, std::fabs(t)));
    return t < 0 ? tail : 1 - tail;
}

double special_ln_t_above(double freedom, double t) {
    const double LN_2 = 0.69314718055994530942;
    if (std::isnan(t) || !(freedom > 0)) return NAN_;
    if (is_near(freedom, t)) {
        double tail = near_tail(freedom, std::fabs(t));
        return t < 0 ? std::log1p(-tail) : std::log(tail);
    }
    if (t < 0) return std::log1p(-std::exp(special_ln_t_above(freedom, -t)));
    if (std::isinf(t)) return NONE;
    double square = t * t;
    if (square > 1e250 * freedom)  // the tail is its leading power
        return freedom / 2 * (std::log(freedom) - 2 * std::log(t)) - std::log(freedom) -
               special_ln_beta(freedom / 2, 0.5);
    double x = freedom / (freedom + square), y = square / (freedom + square);
    if (x < 0.5) return special_ln_beta_below(freedom / 2, 0.5, x) - LN_2;
    double q = special_beta_above(0.5, freedom / 2, y);
    if (!(q < PRECISE)) return std::log(q) - LN_2;
    return ln_beta_tail(freedom / 2, 0.5, x, y) - LN_2;
}

double special_t_quantile(double freedom, double p) {
    if (!(p > 0 && p < 1) || !(freedom > 0)) return NAN_;
    return bm::quantile(bm::students_t_distribution<double, quiet>(freedom), p);
}
