/* model/time_of.h - at which times of day, or of week, something usually happens.
 * Times are seconds into the period; they form a circle, so that 23:55 is near 00:05. A model
 * is excused while it is young: before a whole period has passed most times are new to it.
 * Source: elastic-model, chapter 8 (time of day/week). */
#ifndef BLIP_MODEL_TIME_OF_H
#define BLIP_MODEL_TIME_OF_H

#include "base/error.h"
#include "model/modes.h"
#include "model/pack.h"
#include <stddef.h>
#include <stdint.h>

/* Held by value; time_of_start() makes it ready. */
struct time_of {
    struct modes modes;
    double period_s;  // a day or a week
    int64_t first_s;  // when it learnt first; INT64_MIN = never
};

void time_of_start(struct time_of *t, double period_s);

/* An event, or several at once. */
struct time_of_event {
    double at_s;   // seconds into the period
    double count;  // events
};

/* What is usual: asked once before a bucket is learnt, and once for all questions after it. */
void time_of_look(const struct time_of *t, struct modes_fit *usual);

/* Learns the events of a bucket, outliers at less weight.
 *   usual   before the bucket
 *   now_s   the bucket's start, seconds since 1970
 *   weight  1; less where a rule keeps the model from learning */
void time_of_learn(struct time_of *t, const struct modes_fit *usual, int64_t now_s,
                   const struct time_of_event *events, size_t count, double weight);

void time_of_age(struct time_of *t, double keep);  // one bucket later

/* The probability of a bucket's events, all of them together as one; 1 without any. */
double time_of_probability(const struct time_of *t, const struct modes_fit *usual,
                           int64_t now_s, const struct time_of_event *events, size_t count);

/* The usual time that is nearest to one. */
double time_of_typical(const struct time_of *t, double at_s);

void time_of_save(const struct time_of *t, struct pack *to);
/* Fills a started model. STATUS_INVALID. */
enum status time_of_load(struct time_of *t, struct unpack *from, struct error *err);

#endif
