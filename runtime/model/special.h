/* model/special.h - the special functions of statistics, from Boost.Math.
 * The tails come as logarithms too, exact where the probability itself is below the smallest
 * double. Relative error about 1e-12. No function allocates or throws; an argument outside its
 * domain answers NaN.
 * Source of what lies beyond Boost: Abramowitz & Stegun, "Handbook of Mathematical Functions",
 * 1964: 26.2.12 (normal), 6.5.29 and 6.5.31 (gamma), 26.5.8 (beta). */
#ifndef BLIP_MODEL_SPECIAL_H
#define BLIP_MODEL_SPECIAL_H

#ifdef __cplusplus
extern "C" {
#endif

// --- gamma functions: x > 0 ------------------------------------------------------------------

double special_ln_gamma(double x);
double special_digamma(double x);
double special_trigamma(double x);
double special_ln_beta(double a, double b);  // ln B(a, b)

// --- standard normal -------------------------------------------------------------------------

double special_normal_below(double z);                 // P(Z < z)
double special_normal_above(double z);                 // P(Z > z)
double special_ln_normal_above(double z);              // ln P(Z > z), any z
double special_normal_quantile(double p);              // z with P(Z < z) = p, 0 < p < 1
double special_normal_quantile_above(double p);        // z with P(Z > z) = p, down to 1e-323
double special_ln_normal_quantile_above(double ln_p);  // z with ln P(Z > z) = ln_p < 0

// --- regularised incomplete gamma: a > 0, x >= 0 ---------------------------------------------

double special_gamma_below(double a, double x);     // P(a, x): a gamma of shape a, rate 1 < x
double special_gamma_above(double a, double x);     // Q(a, x) = 1 - P(a, x)
double special_ln_gamma_below(double a, double x);  // ln P(a, x)
double special_ln_gamma_above(double a, double x);  // ln Q(a, x)
double special_gamma_quantile(double a, double p);  // x with P(a, x) = p
double special_gamma_quantile_above(double a, double q);  // x with Q(a, x) = q

// --- regularised incomplete beta: a, b > 0, 0 <= x <= 1 --------------------------------------

double special_beta_below(double a, double b, double x);     // I_x(a, b)
double special_beta_above(double a, double b, double x);     // 1 - I_x(a, b)
double special_ln_beta_below(double a, double b, double x);  // ln I_x(a, b)
/* ln(1 - I_x(a, b)); y = 1 - x is given beside x so that none of its digits are lost. */
double special_ln_beta_above(double a, double b, double x, double y);
double special_beta_quantile(double a, double b, double p);  // x with I_x(a, b) = p

// --- Student's t with `freedom` > 0 degrees --------------------------------------------------

double special_t_below(double freedom, double t);     // P(T < t)
double special_ln_t_above(double freedom, double t);  // ln P(T > t), any t
/* P(T > t), t >= 0, by way of the normal variable of the same tail, in a tenth of the time: the
 * error of its logarithm is 1e-5 of it for t < 6 from 5 degrees on, a thousandth anywhere
 * from 20. Source: Hill, "Algorithm 395: Student's t-distribution", 1970. */
double special_t_above_about(double freedom, double t);
double special_t_quantile(double freedom, double p);  // t with P(T < t) = p

#ifdef __cplusplus
}
#endif

#endif
