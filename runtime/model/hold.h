/* model/hold.h - turns strengths into one grade per event.
 *
 * The hold alerts once: after an alert the grade stays 0 until something much stronger comes,
 * or until the strength has stayed low for HOLD_ROWS rows. The bar makes a series that always
 * has "events" less believed: it rises after each event and sinks slowly.
 * Source: ensemble specification, section 6. */
#ifndef BLIP_MODEL_HOLD_H
#define BLIP_MODEL_HOLD_H

#include <stdint.h>

#define HOLD_ROWS 75

/* Held by value; all zero at first. */
struct hold {
    double bar;
    double reference;  // strength that started the event under way
    uint32_t rows;     // that it still lasts; 0 = none under way
};

/* Grade of the next row, 0..1; `threshold` is the strength that gets 0.5. */
double hold_grade(struct hold *h, double strength, double threshold);

/* A row that says nothing: only time passes. */
void hold_skip(struct hold *h);

#endif
