/* model/calendar.h - what the calendar explains: the first of the month, the last Friday.
 * Large errors are counted by half days over five months. A kind of day whose repeats nearly
 * all have too many of them becomes a part of the prediction: a profile of 24 hours for those
 * days. The zone of the calendar is unknown, so days may begin at midnight or turn at noon.
 * Source: elastic-model specification, 5.3 "Calendar features". */
#ifndef BLIP_MODEL_CALENDAR_H
#define BLIP_MODEL_CALENDAR_H

#include "model/pack.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CALENDAR_HALVES 310  // half days: 155 days
#define CALENDAR_PARTS 3
#define CALENDAR_HOURS 24
#define CALENDAR_NAME_SIZE 48

/* A kind of day, in a zone of -12, 0 or 12 hours. */
struct calendar_feature {
    uint8_t code;  // see calendar.c
    int8_t zone;   // -1, 0, 1
};

/* What such days add to the value, by hour. */
struct calendar_part {
    struct calendar_feature feature;
    float value[CALENDAR_HOURS], weight[CALENDAR_HOURS];
};

/* Held by value; plain data but for the parts. Times are seconds since 1970. */
struct calendar {
    double span_s;
    double large_sigmas;             // running 98.5th percentile of errors, in deviations
    double newest;                   // number of the newest half day; -1 before the first value
    double first;                    // number of the first
    double tested;                   // number of the half day of the last test
    uint8_t large[CALENDAR_HALVES];  // large errors; half day n sits at n % CALENDAR_HALVES
    uint8_t parts;
    struct calendar_part *part[CALENDAR_PARTS];
};

void calendar_open(struct calendar *c, double bucket_span_s);
void calendar_close(struct calendar *c);  // fine twice

/* What the calendar adds at a time. */
double calendar_value(const struct calendar *c, double time_s);

/* Learns an error of the whole prediction.
 *   sigmas  its size in standard deviations
 *   weight  of the value */
void calendar_learn(struct calendar *c, double time_s, double error, double sigmas,
                    double weight);

/* Looks, once a month, for a feature that is not at work yet.
 *   found  the new one
 * Returns whether there is one. When memory runs out there is none. */
bool calendar_test(struct calendar *c, double time_s, struct calendar_feature *found);

/* "1st day of month", "2 days before month end", "last Friday of month". Returns name.
 *   name  [CALENDAR_NAME_SIZE] */
const char *calendar_name(const struct calendar_feature *f, char *name);

size_t calendar_bytes(const struct calendar *c);  // of the parts
void calendar_save(const struct calendar *c, struct pack *p);

/* Into one that was opened with the same span. */
enum calendar_loaded { CALENDAR_LOADED, CALENDAR_DAMAGED, CALENDAR_NO_MEMORY };
enum calendar_loaded calendar_load(struct calendar *c, struct unpack *u);

#endif
